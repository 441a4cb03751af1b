// The client alone, and with one request: `--version`, `ps -a` among 200 containers.
import { IMAGE } from "../engines/engine.ts"
import { run, time } from "../process.ts"
import { all, type Case } from "./case.ts"

const CONTAINERS = 200

export const CLIENT: Case = {
  name: "client",
  results: { client: { title: "`--version`: start of the client alone", unit: "time" } },
  rounds: all,
  open: async ({ client }) => ({ measure: async () => ({ client: await time([client, "--version"]) }) }),
}

export const PS: Case = {
  name: "ps",
  results: { ps: { title: `\`ps -a\` with ${CONTAINERS} containers`, unit: "time" } },
  rounds: all,
  async open({ cli, runOptions, removeOptions }) {
    const ids: string[] = []
    for (let count = 0; count < CONTAINERS; count++)
      ids.push((await run([...cli, "create", ...runOptions, IMAGE, "true"])).trim())
    return {
      measure: async () => ({ ps: await time([...cli, "ps", "-a"]) }),
      close: async () => void (await run([...cli, "rm", "-f", ...removeOptions, ...ids])),
    }
  },
}
