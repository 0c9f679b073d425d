// outcome: failed
// message: move the call into run
import { defineJob } from "jobrunner";

const answer = setTimeout(() => {}, 1);
export default defineJob({
  description: "hostile: calls while it is loaded",
  async run() {
    return answer;
  },
});
