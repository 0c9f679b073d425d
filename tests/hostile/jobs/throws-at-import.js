// outcome: failed
// message: at import
import { defineJob } from "jobrunner";

throw new Error("at import");
export default defineJob({ description: "hostile: never declared", async run() {} });
