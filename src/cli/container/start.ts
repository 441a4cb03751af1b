// dhow start: runs created or stopped containers, attached to one of them or to none.
import type { Client } from "../../client/client.ts"
import { inspectContainer, startContainer, waitContainer } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { forEachName } from "../sequence.ts"
import { chosenDetachKeys } from "../terminal/chosen-keys.ts"
import { attachTo, exitStatus } from "./attached.ts"

export const start = defineCommand({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  summary: "Start one or more stopped containers",
  flags: {
    attach: boolean("a", "Attach output, and pass signals on"),
    "detach-keys": string("", "Keys that detach from the container", { default: "ctrl-p,ctrl-q" }),
    interactive: boolean("i", "Attach the container's standard input"),
  } as const,
  args: [1, Number.POSITIVE_INFINITY],
  async run({ client }, flags, names) {
    if (flags.attach === true || flags.interactive === true) {
      if (names.length > 1) throw new DhowError("invalid", "you cannot start and attach multiple containers at once")
      return startAttached(client, names[0]!, { stdin: flags.interactive === true, detachKeys: flags["detach-keys"] })
    }
    return forEachName(names, async (name) => {
      await startContainer(client, name)
      return name
    })
  },
})

type Options = { readonly stdin: boolean; readonly detachKeys: string | undefined }

async function startAttached(client: Client, name: string, options: Options): Promise<number> {
  const container = await inspectContainer(client, name)
  const detachKeys = await chosenDetachKeys(options.detachKeys, container.Config.Tty === true)
  const attached = await attachTo(client, container, { ...options, detachKeys, proxySignals: true })
  const removes = container.HostConfig.AutoRemove === true
  const wait = await waitContainer(client, container.Id, removes ? "removed" : "next-exit")
  wait.result.catch(() => {})
  try {
    await startContainer(client, container.Id)
  } catch (error) {
    attached.close()
    await attached.end.catch(() => {})
    throw error
  }
  await attached.followSize()
  if ((await attached.end) === "detached") return 0
  return exitStatus(await wait.result)
}
