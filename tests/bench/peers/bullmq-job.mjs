/* The job of bullmq, in a process that it forks and uses again. */
export default async function run(job) {
  await job.updateProgress("first line");
  if (job.data.holdUrl !== undefined) await fetch(job.data.holdUrl).catch(() => {});
}
