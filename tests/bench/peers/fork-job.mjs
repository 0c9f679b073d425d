/* The job of schedulers that start a process per run. */
const [, , holdUrl] = process.argv;
process.send?.("first line");
if (holdUrl !== undefined) await fetch(holdUrl).catch(() => {});
if (process.connected) process.disconnect();
