// `exec CONTAINER true` in a container that runs.
import { IMAGE } from "../engines/engine.ts"
import { run, time } from "../process.ts"
import { all, type Case } from "./case.ts"

export const EXEC: Case = {
  name: "exec",
  results: { exec: { title: "`exec CONTAINER true`", unit: "time" } },
  rounds: all,
  async open({ cli, runOptions, removeOptions }) {
    const id = (await run([...cli, "run", "-d", ...runOptions, IMAGE, "sleep", "100000"])).trim()
    return {
      measure: async () => ({ exec: await time([...cli, "exec", id, "true"]) }),
      close: async () => void (await run([...cli, "rm", "-f", ...removeOptions, id])),
    }
  },
  floor: (floor) => ({ measure: async () => ({ exec: await floor.exec() }) }),
}
