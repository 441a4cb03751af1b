// `run --rm IMAGE true`, with the default network, without one, and with a published port.
import { IMAGE } from "../engines/engine.ts"
import { time } from "../process.ts"
import { all, type Case } from "./case.ts"

function runCase(name: string, title: string, options: readonly string[]): Case {
  return {
    name,
    results: { [name]: { title, unit: "time" } },
    rounds: all,
    open: async ({ cli, runOptions }) => ({
      measure: async () => ({ [name]: await time([...cli, "run", "--rm", ...runOptions, ...options, IMAGE, "true"]) }),
    }),
    floor: (floor) => ({ measure: async () => ({ [name]: await floor.run() }) }),
  }
}

export const RUN_CASES = [
  runCase("run-bridge", "`run --rm IMAGE true`, bridge network", []),
  runCase("run-none", "`run --rm --network none IMAGE true`", ["--network", "none"]),
  runCase("run-port", "`run --rm -p 28080:80 IMAGE true`", ["-p", "28080:80"]),
] as const satisfies readonly Case[]
