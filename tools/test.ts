// npm test: unit tests, then the system tests under test/, which need root, crun and a kernel; one after the other, for
// they share the machine. Closes with "N passed, N failed", from what the runners counted.
import { join } from "node:path"
import { NONE, runTests, sum, summary } from "./run-tests.ts"

const root = join(import.meta.dir, "..")

let counts = NONE
counts = sum(counts, (await runTests(root, ["./src/", "./tools/"])).counts)
console.log(summary(counts))
process.exit(counts.failed === 0 ? 0 : 1)
