// dhow exec: a further process in a running container; ends with that process's exit code.
import type { Client } from "../../client/client.ts"
import { createExec, inspectExec, resizeExec, startExec, startExecDetached } from "../../client/containers.ts"
import { DhowError } from "../../lib/errors.ts"
import { isTerminal, windowSize } from "../../lib/syscalls/terminal.ts"
import { defineCommand } from "../command.ts"
import { callersUser } from "../create/caller.ts"
import { checkEnvironment, parseKeyValueFile } from "../create/key-values.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { chosenDetachKeys } from "../terminal/chosen-keys.ts"
import { runSession } from "../terminal/session.ts"
import { followWindowSize } from "../terminal/signals.ts"
import { startStatus } from "./exit-status.ts"

export const exec = defineCommand({
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  summary: "Execute a command in a running container",
  flags: {
    detach: boolean("d", "Run the command in the background"),
    "detach-keys": string("", "Keys that detach from the command", { default: "ctrl-p,ctrl-q" }),
    env: list("e", "Set environment variables", { check: (text) => checkEnvironment(text) }),
    "env-file": list("", "Read environment variables from a file"),
    interactive: boolean("i", "Keep standard input open"),
    privileged: boolean("", "Give extended privileges to the command"),
    tty: boolean("t", "Allocate a pseudo-terminal"),
    user: string("u", "User name or ID (<name|uid>[:<group|gid>]), or host"),
    workdir: string("w", "Working directory in the container"),
  } as const,
  args: [2, Number.POSITIVE_INFINITY],
  interspersed: false,
  examples: ["dhow exec -it web sh", "dhow exec -u 0 -e DEBUG=1 web env"],
  async run({ client }, flags, [name = "", ...command]) {
    const tty = flags.tty === true
    const attach = flags.detach !== true
    const stdin = attach && flags.interactive === true
    if (stdin && tty && !isTerminal(0)) throw new DhowError("invalid", "the input device is not a TTY")
    const size = tty && isTerminal(1) ? windowSize(1) : undefined
    const environment = flags["env-file"].flatMap((path) => parseKeyValueFile(path, (key) => process.env[key]))
    const detachKeys = await chosenDetachKeys(flags["detach-keys"], tty && attach)
    const consoleSize = size === undefined ? {} : { ConsoleSize: [size.height, size.width] as [number, number] }
    const { Id: id } = await createExec(client, name, {
      User: callersUser(flags.user ?? "").user,
      Privileged: flags.privileged === true,
      Tty: tty,
      AttachStdin: stdin,
      AttachStdout: attach,
      AttachStderr: attach,
      DetachKeys: detachKeys ?? "",
      Env: [...environment, ...flags.env],
      WorkingDir: flags.workdir ?? "",
      Cmd: command,
      ...consoleSize,
    })
    const start = { Detach: !attach, Tty: tty, ...consoleSize }
    if (!attach) {
      await startExecDetached(client, id, start).catch(failWithStartStatus)
      return 0
    }
    const stream = await startExec(client, id, start).catch(failWithStartStatus)
    const session = runSession(stream, { tty, stdin, stdout: true, stderr: true, detachKeys })
    if (tty && isTerminal(1)) await followWindowSize((now) => resizeExec(client, id, now))
    if ((await session) === "detached") return 0
    return exitCode(client, id)
  },
})

function failWithStartStatus(error: unknown): never {
  if (!(error instanceof DhowError)) throw error
  const status = startStatus(error.message)
  throw new DhowError(error.kind, error.message, {
    cause: error,
    exitCode: status === 125 ? 1 : status,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
  })
}

async function exitCode(client: Client, id: string): Promise<number> {
  return (await inspectExec(client, id)).ExitCode ?? 0
}
