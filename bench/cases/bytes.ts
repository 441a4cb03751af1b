// Bytes through an engine: 100 MB of a container's standard output.
import { IMAGE } from "../engines/engine.ts"
import { timeOutput } from "../process.ts"
import { type Case, some } from "./case.ts"

const OUTPUT_BYTES = 100 * 1024 * 1024
const OUTPUT_COMMAND = "dd if=/dev/zero bs=1M count=100 2>/dev/null"

export const OUTPUT: Case = {
  name: "output",
  results: { output: { title: "100 MB of standard output through `run --rm`", unit: "time" } },
  rounds: some,
  open: async ({ cli, runOptions }) => ({
    measure: async () => ({
      output: await timeOutput([...cli, "run", "--rm", ...runOptions, IMAGE, "sh", "-c", OUTPUT_COMMAND], OUTPUT_BYTES),
    }),
  }),
  floor: (floor) => ({ measure: async () => ({ output: await floor.output(OUTPUT_COMMAND, OUTPUT_BYTES) }) }),
}
