// dhow compose exec: a command in a running container of a service.
import { isTerminal } from "../../lib/syscalls/terminal.ts"
import { defineCommand } from "../command.ts"
import { exec as execContainer } from "../container/exec.ts"
import { boolean, int, list, string } from "../flags/flags.ts"
import { containerAt, openTarget } from "./project-or-name.ts"

export const exec = defineCommand({
  usage: "[OPTIONS] SERVICE COMMAND [ARG...]",
  summary: "Execute a command in a running container",
  flags: {
    detach: boolean("d", "Run the command in the background"),
    env: list("e", "Set environment variables"),
    index: int("", "The container of this number"),
    interactive: boolean("i", "Keep standard input open", { hidden: true }),
    "no-tty": boolean("T", "Allocate no pseudo-terminal (one is by default, on a terminal)"),
    privileged: boolean("", "Give extended privileges to the command"),
    tty: boolean("t", "Allocate a pseudo-terminal", { hidden: true }),
    user: string("u", "User name or ID"),
    workdir: string("w", "Working directory in the container"),
  } as const,
  args: [2, Number.POSITIVE_INFINITY],
  interspersed: false,
  examples: ["dhow compose exec web sh", "dhow compose exec -T db pg_dump shop > shop.sql"],
  async run(context, flags, [service = "", ...command]) {
    const target = await openTarget(context, [service])
    const container = containerAt(target, service, flags.index)
    const tty = flags["no-tty"] !== true && flags.tty !== false && isTerminal(1)
    return execContainer.run(
      context,
      {
        detach: flags.detach,
        env: flags.env,
        "env-file": [],
        interactive: flags.interactive !== false,
        privileged: flags.privileged,
        tty: tty && (flags.interactive === false || isTerminal(0)),
        user: flags.user,
        workdir: flags.workdir,
      },
      [container.id, ...command],
    )
  },
})
