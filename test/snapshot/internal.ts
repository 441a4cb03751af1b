// Stands for the program where a test has it start itself: runs the internal verb that its first argument names.
import { unpackCommand } from "../../src/snapshot/unpack-command.ts"

const [verb, ...parameters] = process.argv.slice(2)
if (verb !== "unpack-layer") throw new Error(`No internal verb "${verb}"`)
process.exitCode = unpackCommand(parameters)
