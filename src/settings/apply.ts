// What the daemon itself does with its configuration, at its start and whenever that has changed. All else asks for a value
// when it needs one.
import { rmSync, writeFileSync } from "node:fs"
import type { Config } from "../config.ts"
import { describeError } from "../lib/errors.ts"
import { log, setLogLevel } from "../lib/log.ts"

export type Affected = {
  readonly server: {
    setHosts(hosts: readonly string[]): Promise<void>
    setGroup(group: string | undefined): void
  }
  readonly networks: { reconfigure(): Promise<void> }
}

/** As the daemon found them: what the configuration no longer says is theirs again. */
const environment = new Map<string, string | undefined>()
let pidfile: string | undefined

export function beginSettings(config: Config): void {
  setLogLevel(config.logLevel)
  setProxies(config.proxies)
}

/** Each change is tried; the keys that could not be followed, with the reason. */
export async function applySettings(
  config: Config,
  keys: ReadonlySet<string>,
  to: Affected,
): Promise<ReadonlyMap<string, string>> {
  const failures = new Map<string, string>()
  const step = async (concerned: readonly string[], body: () => void | Promise<void>): Promise<void> => {
    if (!concerned.some((key) => keys.has(key))) return
    try {
      await body()
    } catch (error) {
      for (const key of concerned) if (keys.has(key)) failures.set(key, describeError(error))
    }
  }
  await step(["debug", "log-level"], () => setLogLevel(config.logLevel))
  await step(["proxies"], () => setProxies(config.proxies))
  await step(["group"], () => to.server.setGroup(config.group))
  await step(["hosts"], () => to.server.setHosts(config.hosts))
  await step(["bip", "network-pool"], () => to.networks.reconfigure())
  await step(["pidfile"], () => writePidFile(config))
  return failures
}

/** As dockerd: into the environment, so that what the daemon starts goes the same way. */
function setProxies({ http, https, no }: Config["proxies"]): void {
  for (const [name, value] of [
    ["HTTP_PROXY", http],
    ["HTTPS_PROXY", https],
    ["NO_PROXY", no],
  ] as const)
    for (const variable of [name, name.toLowerCase()]) {
      if (!environment.has(variable)) environment.set(variable, process.env[variable])
      const now = value ?? environment.get(variable)
      if (now === undefined) delete process.env[variable]
      else process.env[variable] = now
    }
}

export function writePidFile(config: Config): void {
  if (pidfile !== undefined && pidfile !== config.pidfile) rmSync(pidfile, { force: true })
  pidfile = config.pidfile
  if (pidfile === undefined) return
  try {
    writeFileSync(pidfile, String(process.pid), { mode: 0o644 })
  } catch (error) {
    log.warn("The file with the process id cannot be written", { path: pidfile, error: String(error) })
  }
}
