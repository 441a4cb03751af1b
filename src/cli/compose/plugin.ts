// Docker's compose plugin, where one is installed: found as docker's CLI finds it, and run with our socket.
import { accessSync, constants, readFileSync, statSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import type { Client } from "../../client/client.ts"

const SYSTEM_DIRECTORIES = [
  "/usr/local/lib/docker/cli-plugins",
  "/usr/local/libexec/docker/cli-plugins",
  "/usr/lib/docker/cli-plugins",
  "/usr/libexec/docker/cli-plugins",
]

/** Commands that need no engine. */
const OFFLINE = new Set(["config", "convert", "version", "help"])

export function findPlugin(environment: NodeJS.ProcessEnv = process.env): string | undefined {
  const config = environment["DOCKER_CONFIG"] || join(homedir(), ".docker")
  const directories = [...extraDirectories(config), join(config, "cli-plugins"), ...SYSTEM_DIRECTORIES]
  const plugin = directories.map((directory) => join(directory, "docker-compose")).find(isProgram)
  if (plugin !== undefined) return plugin
  const onPath = (environment["PATH"] ?? "").split(":").filter((directory) => directory.startsWith("/"))
  const found = onPath.map((directory) => join(directory, "docker-compose")).find(isProgram)
  // The first version is another program, whose commands and files are not these.
  return found !== undefined && isSecondVersion(found) ? found : undefined
}

function extraDirectories(config: string): readonly string[] {
  try {
    const given: unknown = JSON.parse(readFileSync(join(config, "config.json"), "utf8")).cliPluginsExtraDirs
    return Array.isArray(given) ? given.filter((one) => typeof one === "string") : []
  } catch {
    // No configuration, or none that can be read: whoever logs in with it will say so.
    return []
  }
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function isSecondVersion(program: string): boolean {
  const asked = Bun.spawnSync([program, "version", "--short"], { stdio: ["ignore", "pipe", "ignore"], timeout: 5000 })
  return asked.exitCode === 0 && Number(/^v?(\d+)\./.exec(asked.stdout.toString())?.[1] ?? 0) >= 2
}

export async function runPlugin(plugin: string, client: Client, words: readonly string[]): Promise<number> {
  const command = words.find((word) => !word.startsWith("-"))
  // Whatever the plugin does with the engine, the engine has to be there: it cannot start it.
  if (command !== undefined && !OFFLINE.has(command) && !words.includes("--help") && !words.includes("-h"))
    await client.call("GET", "/_ping")
  const child = Bun.spawn([plugin, "compose", ...words], {
    stdio: ["inherit", "inherit", "inherit"],
    env: { ...process.env, DOCKER_HOST: `unix://${client.address.path}`, DOCKER_CONTEXT: undefined },
  })
  const forward = (signal: NodeJS.Signals): void => {
    // A terminal's own signals reach the child by themselves.
    if (signal === "SIGTERM" || signal === "SIGHUP") child.kill(signal)
  }
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(signal, () => forward(signal))
  await child.exited
  return child.exitCode ?? 1
}
