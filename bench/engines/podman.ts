// Podman, which has no daemon: every command opens its store in the benchmark's directory.
import { join } from "node:path"
import type { Fixtures } from "../fixtures.ts"
import { run } from "../process.ts"
import { type Engine, IMAGE, processes } from "./engine.ts"

export async function openPodman(directory: string, fixtures: Fixtures): Promise<Engine | undefined> {
  const client = Bun.which("podman")
  if (client === null) return undefined
  const root = join(directory, "podman")
  const cli = [
    client,
    ...["--root", `${root}/root`, "--runroot", `${root}/run`, "--tmpdir", `${root}/tmp`],
    ...[
      "--cgroup-manager",
      "cgroupfs",
      "--network-backend",
      "netavark",
      "--events-backend",
      "file",
      "--log-level",
      "error",
    ],
  ]
  await run([...cli, "import", fixtures.busybox, IMAGE])
  return {
    name: "podman",
    version: (await run([client, "--version"])).trim().replace("podman version ", ""),
    cli,
    client,
    runOptions: ["--pull", "never", "--cgroup-parent", "/dhow-bench"],
    // It would otherwise ask nicely for ten seconds first.
    removeOptions: ["--time", "0"],
    registryOptions: ["--tls-verify=false"],
    loadsGzip: false,
    storage: join(root, "root"),
    daemons: () => [],
    monitors: () => processes((program, line) => program === "conmon" && line.includes(root)),
    close: async () => {
      await run([...cli, "rm", "--all", "--force", "--time", "0"])
    },
  }
}
