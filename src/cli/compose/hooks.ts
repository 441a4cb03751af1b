// post_start and pre_stop: commands in a container, before it counts as started and before it is stopped.
import { createExec, inspectExec, startExec } from "../../client/containers.ts"
import type { Hook } from "../../compose/model.ts"
import { DhowError } from "../../lib/errors.ts"
import { runSession } from "../terminal/session.ts"
import type { Session } from "./session.ts"

export async function runHooks(
  { client }: Pick<Session, "client">,
  container: { readonly id: string; readonly name: string },
  hooks: readonly Hook[],
): Promise<void> {
  for (const hook of hooks) {
    const { Id: id } = await createExec(client, container.id, {
      AttachStdin: false,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      User: hook.user ?? "",
      Privileged: hook.privileged === true,
      WorkingDir: hook.working_dir ?? "",
      Env: Object.entries(hook.environment ?? {}).map(([name, value]) => (value === null ? name : `${name}=${value}`)),
      Cmd: [...(hook.command ?? [])],
    })
    const stream = await startExec(client, id, { Detach: false, Tty: false })
    await runSession(stream, { tty: false, stdin: false, stdout: true, stderr: true })
    const { ExitCode } = await inspectExec(client, id)
    if (ExitCode !== 0)
      throw new DhowError("unavailable", `A hook of container "${container.name}" ended with status ${ExitCode}`)
  }
}
