/* The job of bree, in a thread of its own. */
import { parentPort, workerData } from "node:worker_threads";

const { holdUrl } = workerData;
parentPort?.postMessage("first line");
if (holdUrl !== undefined) await fetch(holdUrl).catch(() => {});
// What bree takes for the end.
parentPort?.postMessage("done");
