// An engine to be killed: launches the container described by its argument, listens to it, says so, and waits.
import { openSupervisor } from "../../src/supervisor/conmon.ts"
import type { LaunchOptions } from "../../src/supervisor/contract.ts"

const { execRoot, options } = JSON.parse(process.argv[2]!) as { execRoot: string; options: LaunchOptions }
const monitor = await openSupervisor({ execRoot }).launch(options)
const streams = await monitor.streams()
streams?.listen({ data: () => true, drained: () => Promise.resolve(), end() {} })
const { path, args } = options.runtime
await Bun.spawn([path, ...args, "start", options.id]).exited
process.stdout.write(`${JSON.stringify({ pid: monitor.pid, conmonPid: monitor.conmonPid })}\n`)
await new Promise(() => {})
