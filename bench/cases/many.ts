// Twenty at once: 20 parallel `run -d`, then `rm -f` of the 20; and what an idle container costs in memory.
import { type Engine, IMAGE, totalMemory } from "../engines/engine.ts"
import { run, time } from "../process.ts"
import { type Case, once, SETTLE_MS, some } from "./case.ts"

const COUNT = 20

async function startMany({ cli, runOptions }: Engine): Promise<string[]> {
  const command = [...cli, "run", "-d", ...runOptions, IMAGE, "sleep", "100000"]
  const outputs = await Promise.all(Array.from({ length: COUNT }, () => run(command)))
  return outputs.map((output) => output.trim())
}

export const MANY: Case = {
  name: "many",
  results: {
    start: { title: `${COUNT} parallel \`run -d\``, unit: "time" },
    remove: { title: `\`rm -f\` of ${COUNT}`, unit: "time" },
  },
  rounds: some,
  open: async (engine) => ({
    async measure() {
      const began = performance.now()
      const ids = await startMany(engine)
      const start = performance.now() - began
      return { start, remove: await time([...engine.cli, "rm", "-f", ...engine.removeOptions, ...ids]) }
    },
  }),
}

export const IDLE: Case = {
  name: "idle",
  results: { idle: { title: "memory per idle container, beside its own processes (PSS)", unit: "memory" } },
  rounds: once,
  open: async (engine) => ({
    async measure() {
      // The first containers make a daemon load code that all later ones share.
      await run([...engine.cli, "rm", "-f", ...engine.removeOptions, ...(await startMany(engine))])
      await Bun.sleep(SETTLE_MS)
      const before = totalMemory(engine.daemons(), "pss") + totalMemory(engine.monitors(), "pss")
      const ids = await startMany(engine)
      await Bun.sleep(SETTLE_MS)
      const after = totalMemory(engine.daemons(), "pss") + totalMemory(engine.monitors(), "pss")
      await run([...engine.cli, "rm", "-f", ...engine.removeOptions, ...ids])
      return { idle: (after - before) / COUNT }
    },
  }),
}
