// dhow run: create, attach and wait before start so that neither output nor exit can be missed, start, stream.
import type { Client } from "../../client/client.ts"
import { attachContainer, resizeContainer, startContainer, waitContainer } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import type { ContainerCreateRequest } from "../../wire/container.ts"
import { defineCommand } from "../command.ts"
import { containerFlags, createOnlyFlags } from "../create/flags.ts"
import { createRequest } from "../create/request.ts"
import { boolean, type FlagValues, string } from "../flags/flags.ts"
import { print } from "../output.ts"
import { chosenDetachKeys } from "../terminal/chosen-keys.ts"
import { parseDetachKeys } from "../terminal/detach-keys.ts"
import { runSession } from "../terminal/session.ts"
import { followWindowSize, forwardSignals } from "../terminal/signals.ts"
import { exitStatus } from "./attached.ts"
import { createWithImage } from "./create-container.ts"
import { withStartStatus } from "./exit-status.ts"

const flags = {
  ...containerFlags,
  ...createOnlyFlags,
  detach: boolean("d", "Run in the background and print the container's ID"),
  "detach-keys": string("", "Keys that detach from the container", { default: "ctrl-p,ctrl-q" }),
  "sig-proxy": boolean("", "Pass signals on to the container's process", { default: "true" }),
  usage: string("", "Write what it used to a file as JSON ('-' for stderr)", { value: "file" }),
} as const

export const run = defineCommand({
  usage: "[OPTIONS] IMAGE[@@PLATFORM] [COMMAND] [ARG...]",
  summary: "Create and run a new container from an image",
  flags,
  args: [1, Number.POSITIVE_INFINITY],
  interspersed: false,
  examples: [
    "dhow run --rm -it distro.local/debian bash",
    "dhow run -d --name web -p 8080:80 -v site:/www IMAGE",
    "dhow run --rm -v .:/src -w /src -u 1000 IMAGE make",
  ],
  async run({ client }, flags, args) {
    refuseUnsupported(flags)
    parseDetachKeys(flags["detach-keys"])
    const request = createRequest(flags, args[0]!, args.slice(1))
    if (flags.detach === true && flags.usage !== undefined)
      throw new DhowError("invalid", "conflicting options: cannot specify both --usage and --detach", { exitCode: 1 })
    if (flags.detach === true) detachStreams(request, flags.attach)
    else if (request.AttachStdin === true && request.Tty === true && !isTerminal(0))
      throw new DhowError("invalid", "the input device is not a TTY", { exitCode: 1 })
    let id: string
    try {
      id = await createWithImage(client, request, flags)
    } catch (error) {
      throw withStartStatus(error)
    }
    const attached = request.AttachStdin || request.AttachStdout || request.AttachStderr
    if (attached) {
      const status = await runAttached(client, id, request, flags)
      if (flags.usage !== undefined) await (await import("./run-usage.ts")).writeUsage(client, id, flags.usage)
      return status
    }
    try {
      await startContainer(client, id)
    } catch (error) {
      // Docker prints the id as soon as the container exists, started or not.
      print(id)
      throw withStartStatus(error)
    }
    print(id)
    return 0
  },
})

export function refuseUnsupported(flags: FlagValues<typeof createOnlyFlags>): void {
  if (flags["use-api-socket"] === true)
    throw new DhowError("not-implemented", `Flag "--use-api-socket" is not supported`, {
      exitCode: 125,
      hint: "Mount the socket yourself: -v /run/dhow/dhow.sock:/var/run/docker.sock",
    })
}

function detachStreams(request: ContainerCreateRequest, attach: readonly string[]): void {
  if (attach.length > 0)
    throw new DhowError("invalid", "conflicting options: cannot specify both --attach and --detach", { exitCode: 1 })
  for (const field of ["AttachStdin", "AttachStdout", "AttachStderr", "StdinOnce"] as const) delete request[field]
}

type RunFlags = FlagValues<typeof flags>

async function runAttached(
  client: Client,
  id: string,
  request: ContainerCreateRequest,
  flags: RunFlags,
): Promise<number> {
  const streams = {
    stdin: request.AttachStdin === true,
    stdout: request.AttachStdout === true,
    stderr: request.AttachStderr === true,
    detachKeys: await chosenDetachKeys(flags["detach-keys"], request.Tty === true),
  }
  const tty = request.Tty === true
  const stopForwarding = flags["sig-proxy"] === false ? () => {} : forwardSignals(client, id)
  const [stream, wait] = await Promise.all([
    attachContainer(client, id, { ...streams, stream: true }),
    waitContainer(client, id, flags.rm === true ? "removed" : "next-exit"),
  ])
  const session = runSession(stream, { ...streams, tty })
  // Looked at below, perhaps only after the start has failed.
  session.catch(() => {})
  wait.result.catch(() => {})
  try {
    await startContainer(client, id)
  } catch (error) {
    stream.close()
    await session.catch(() => {})
    if (flags.rm === true) await wait.result.catch(() => {})
    throw withStartStatus(error)
  }
  if (tty && isTerminal(1)) await followWindowSize((size) => resizeContainer(client, id, size))
  const onlyInput = !streams.stdout && !streams.stderr
  if (onlyInput) {
    const status = exitStatus(await wait.result)
    stream.close()
    return status
  }
  const end = await session
  stopForwarding()
  if (end === "detached") return 0
  return exitStatus(await wait.result)
}
