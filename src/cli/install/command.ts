// dhow install: the program, its units and completions below a prefix, and the units switched on.
import { Client } from "../../client/client.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { defineCommand } from "../command.ts"
import { completionScripts } from "../completion/completion.ts"
import { boolean, string } from "../flags/flags.ts"
import { print, printError } from "../output.ts"
import { DOCKER_SOCKET, install, uninstall } from "./install.ts"
import { disable, enable, isBooted, reload, seesUnits } from "./systemd.ts"

export const installCommand = defineCommand({
  usage: "[OPTIONS]",
  summary: "Install dhow with its systemd units and shell completions",
  flags: {
    "docker-socket": boolean("", `Serve ${DOCKER_SOCKET} too, where Docker's clients look`),
    "no-systemd": boolean("", "Install no systemd units"),
    prefix: string("", 'Directory to install below (default "/usr/local")'),
    uninstall: boolean("", "Remove what was installed; images and containers stay"),
  },
  args: [0, 0],
  examples: ["dhow install", "dhow install --docker-socket", "dhow install --uninstall"],
  async run(_context, flags) {
    const prefix = flags.prefix ?? "/usr/local"
    const switches = flags["no-systemd"] !== true && isBooted() && seesUnits(prefix)
    if (flags.uninstall === true) {
      if (switches) disable()
      for (const path of uninstall(prefix).files) print(`removed ${path}`)
      if (switches) reload()
      return 0
    }
    const dockerSocket = flags["docker-socket"] === true
    if (dockerSocket && switches) await refuseTakenSocket()
    const { files } = install({
      program: ownProgram(),
      prefix,
      completions: await completionScripts(),
      systemd: flags["no-systemd"] !== true,
      dockerSocket,
    })
    for (const path of files) print(path)
    if (switches) enable()
    else if (flags["no-systemd"] !== true)
      printError(
        isBooted()
          ? `systemd does not look for units below "${prefix}": they are installed, but not switched on`
          : "systemd does not run here: the units are installed, but not switched on; the first command starts the daemon",
      )
    if (dockerSocket && !switches)
      printError(`To serve Docker's socket: dhow daemon -H unix:///run/dhow/dhow.sock -H unix://${DOCKER_SOCKET}`)
    return 0
  },
})

/** systemd would take the path away from an engine that serves it. dhow may be replaced by itself. */
async function refuseTakenSocket(): Promise<void> {
  const server = await serverOf(DOCKER_SOCKET)
  if (server === undefined || server.startsWith("dhow/")) return
  throw new DhowError("conflict", `Cannot serve "${DOCKER_SOCKET}": another engine does (${server})`, {
    hint: "Stop it and its socket unit first: systemctl disable --now docker.socket docker.service",
  })
}

/** What an engine that answers on this path calls itself; undefined where none does. */
async function serverOf(path: string): Promise<string | undefined> {
  try {
    const answer = await new Client({ host: `unix://${path}`, path, isDefault: false }).request("GET", "/_ping")
    return answer.headers.get("server") ?? "unknown"
  } catch (error) {
    if (isKind(error, "unavailable")) return undefined
    throw error
  }
}

function ownProgram(): string {
  if (!Bun.main.startsWith("/$bunfs/"))
    throw new DhowError("invalid", "Cannot install: this runs from its sources", {
      hint: "Build it first (npm run build), then: dist/dhow install",
    })
  return process.execPath
}
