// `dhow internal VERB`: work that needs a process of its own, asked for by the daemon and by nobody else.
import { gzipMembersCommand } from "./lib/gzip-members.ts"
import { indexCommand } from "./snapshot/erofs/index-command.ts"
import { diesWithParent } from "./snapshot/layer-answer.ts"
import { unpackCommand } from "./snapshot/unpack-command.ts"

export async function runInternal([verb, ...parameters]: readonly string[]): Promise<number> {
  if (verb === "unpack-layer") return unpackCommand(parameters)
  if (verb === "index-layer") return indexCommand(parameters)
  if (verb?.startsWith("upper-")) {
    const { upperCommand } = await import("./snapshot/upper/command.ts")
    return upperCommand(verb, parameters)
  }
  if (verb?.startsWith("copy-")) {
    const { copyCommand } = await import("./snapshot/copy/command.ts")
    return await copyCommand(verb, parameters)
  }
  if (verb?.startsWith("stack-")) {
    const { stackCommand } = await import("./snapshot/stack/command.ts")
    return stackCommand(verb, parameters)
  }
  if (verb === "live-mounts") {
    const { liveMountsCommand } = await import("./runtime/live-mounts/command.ts")
    return liveMountsCommand()
  }
  if (verb === "volume") {
    const { volumeCommand } = await import("./volume/command.ts")
    return await volumeCommand(parameters)
  }
  if (verb === "gzip-members") {
    diesWithParent(true)
    return gzipMembersCommand(parameters)
  }
  if (verb === "resolver") {
    const { resolverCommand } = await import("./network/resolver/command.ts")
    return await resolverCommand(parameters)
  }
  if (verb === "reset") {
    const { reset } = await import("./reset.ts")
    return await reset(parameters)
  }
  console.error(`dhow: no such internal verb "${verb}"`)
  return 125
}
