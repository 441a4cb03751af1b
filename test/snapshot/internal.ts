// Stands for the program where a test has it start itself: runs the internal verb that its first argument names.
import { runInternal } from "../../src/internal.ts"

process.exitCode = await runInternal(process.argv.slice(2))
