/** The alert of a worker that stopped without a word. */
export function lostWorkerAlert(name: string): string {
  return `worker:${name}:lost`;
}

/** The alert of a job whose runs no worker can serve. */
export function unservedAlert(job: string): string {
  return `job:${job}:unserved`;
}
