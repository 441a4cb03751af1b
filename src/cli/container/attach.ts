// dhow attach: the user's terminal or pipes become those of a running container.
import { inspectContainer, waitContainer } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import type { InspectState } from "../../wire/container.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { chosenDetachKeys } from "../terminal/chosen-keys.ts"
import { attachTo, exitStatus } from "./attached.ts"

export const attach = defineCommand({
  usage: "[OPTIONS] CONTAINER",
  summary: "Attach input and output to a running container",
  flags: {
    "detach-keys": string("", "Keys that detach from the container", { default: "ctrl-p,ctrl-q" }),
    "no-stdin": boolean("", "Do not attach standard input"),
    "sig-proxy": boolean("", "Pass signals on to the container's process", { default: "true" }),
  } as const,
  args: [1, 1],
  async run({ client }, flags, [name = ""]) {
    const container = await inspectContainer(client, name)
    checkAttachable(container.State)
    const stdin = flags["no-stdin"] !== true
    if (stdin && container.Config.Tty === true && !isTerminal(0))
      throw new DhowError("invalid", "the input device is not a TTY")
    // The waiter first: the container may end before the attachment does.
    const wait = await waitContainer(client, container.Id)
    wait.result.catch(() => {})
    const attached = await attachTo(client, container, {
      stdin,
      detachKeys: await chosenDetachKeys(flags["detach-keys"], container.Config.Tty === true),
      proxySignals: flags["sig-proxy"] !== false,
    })
    await attached.followSize()
    if ((await attached.end) === "detached") return 0
    return exitStatus(await wait.result)
  },
})

function checkAttachable(state: InspectState): void {
  const refuse = (what: string): DhowError => new DhowError("conflict", `You cannot attach to a ${what}`)
  if (!state.Running) throw refuse("stopped container, start it first")
  if (state.Paused) throw refuse("paused container, unpause it first")
  if (state.Restarting) throw refuse("restarting container, wait until it is running")
}
