// Stands for the program where a test has it start itself: runs the internal verb that its first argument names.
import { indexCommand } from "../../src/snapshot/erofs/index-command.ts"
import { unpackCommand } from "../../src/snapshot/unpack-command.ts"

const [verb, ...parameters] = process.argv.slice(2)
if (verb !== "unpack-layer" && verb !== "index-layer") throw new Error(`No internal verb "${verb}"`)
process.exitCode = verb === "unpack-layer" ? unpackCommand(parameters) : indexCommand(parameters)
