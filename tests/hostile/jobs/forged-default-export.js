// outcome: failed
// message: export default defineJob
export default { description: "hostile: not from defineJob", run() {} };
