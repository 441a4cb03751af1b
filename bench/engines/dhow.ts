// dhow as built in dist/, its daemon started with state and socket in the benchmark's directory.
import { existsSync, mkdirSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Fixtures } from "../fixtures.ts"
import { run } from "../process.ts"
import { type Engine, end, IMAGE, processes, untilExists } from "./engine.ts"

export async function openDhow(directory: string, fixtures: Fixtures): Promise<Engine | undefined> {
  const client = join(import.meta.dir, "../../dist/dhow")
  if (!existsSync(client)) return undefined
  const root = join(directory, "dhow")
  mkdirSync(root)
  const socket = join(root, "dhow.sock")
  const log = join(root, "daemon.log")
  writeFileSync(join(root, "daemon.json"), JSON.stringify({ "cgroup-parent": "/dhow-bench" }))
  const output = openSync(log, "a")
  const daemon = Bun.spawn(
    [
      client,
      "daemon",
      ...["-H", `unix://${socket}`, "--data-root", `${root}/data`, "--exec-root", `${root}/exec`],
      ...["--config-file", `${root}/daemon.json`, "--storage-driver", "auto"],
    ],
    { stdin: "ignore", stdout: output, stderr: output },
  )
  await untilExists(socket, daemon, log)
  const cli = [client, "-H", `unix://${socket}`]
  await run([...cli, "import", fixtures.busybox, IMAGE])
  return {
    name: "dhow",
    version: (await run([client, "--version"])).trim().replace("Dhow version ", ""),
    cli,
    client,
    runOptions: [],
    removeOptions: [],
    registryOptions: [],
    loadsGzip: true,
    storage: join(root, "data"),
    daemons: () => [daemon.pid],
    monitors: () => processes((program, line) => program === "conmon" && line.includes(root)),
    close: () => end(daemon),
  }
}
