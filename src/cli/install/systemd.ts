// systemd as the installation needs it: whether it runs here, and switching the units on and off.
import { existsSync } from "node:fs"
import { DhowError } from "../../lib/errors.ts"

const LOAD_PATHS = ["/usr/local", "/usr"]

/** sd_booted(3): whether PID 1 is systemd. */
export function isBooted(): boolean {
  return existsSync("/run/systemd/system")
}

/** Whether units below this prefix are seen by systemd. */
export function seesUnits(prefix: string): boolean {
  return LOAD_PATHS.includes(prefix.replace(/\/+$/, ""))
}

export function enable(): void {
  systemctl("daemon-reload")
  systemctl("enable", "dhow.service")
  // An older socket unit may have listened elsewhere.
  systemctl("restart", "dhow.socket")
  systemctl("restart", "dhow.service")
}

/** Fine where the units are not there. Containers go on. */
export function disable(): void {
  Bun.spawnSync(["systemctl", "disable", "--now", "dhow.socket", "dhow.service"], {
    stdout: "ignore",
    stderr: "ignore",
  })
}

export function reload(): void {
  systemctl("daemon-reload")
}

function systemctl(...args: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["systemctl", ...args], { stdout: "ignore", stderr: "pipe" })
  if (exitCode === 0) return
  throw new DhowError("unavailable", `"systemctl ${args.join(" ")}" failed: ${stderr.toString().trim()}`, {
    hint: "The files are installed; mend what systemd says, or use --no-systemd",
  })
}
