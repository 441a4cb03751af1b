// Memory of the daemon: idle, after 500 runs, after 500 more. Growth between the last two is a leak.
import { IMAGE, totalMemory } from "../engines/engine.ts"
import { run } from "../process.ts"
import { type Case, once, SETTLE_MS } from "./case.ts"

const RUNS = 500
/** As many at once as keep two cores busy. */
const PARALLEL = 4

export const MEMORY: Case = {
  name: "memory",
  results: {
    idle: { title: "daemon, resident when idle", unit: "memory" },
    first: { title: `daemon, resident after ${RUNS} runs`, unit: "memory" },
    second: { title: `daemon, resident after ${2 * RUNS} runs`, unit: "memory" },
  },
  rounds: once,
  async open({ name, cli, runOptions, daemons }) {
    if (daemons().length === 0) return undefined
    const resident = async (): Promise<number> => {
      await Bun.sleep(SETTLE_MS)
      return totalMemory(daemons(), "rss")
    }
    const runMany = async (): Promise<void> => {
      let left = RUNS
      const worker = async (): Promise<void> => {
        while (left-- > 0) await run([...cli, "run", "--rm", ...runOptions, IMAGE, "true"])
      }
      await Promise.all(Array.from({ length: PARALLEL }, worker))
    }
    return {
      async measure() {
        const idle = await resident()
        // A thousand runs of another engine take minutes and tell nothing about ours.
        if (name !== "dhow") return { idle }
        await runMany()
        const first = await resident()
        await runMany()
        return { idle, first, second: await resident() }
      },
    }
  },
}
