// Docker's engine with a containerd of its own, state and sockets in the benchmark's directory.
import { mkdirSync, openSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Fixtures } from "../fixtures.ts"
import { run } from "../process.ts"
import { type Engine, end, IMAGE, processes, untilExists } from "./engine.ts"

export async function openDocker(directory: string, fixtures: Fixtures): Promise<Engine | undefined> {
  const client = Bun.which("docker")
  if (client === null || Bun.which("dockerd") === null || Bun.which("containerd") === null) return undefined
  const root = join(directory, "docker")
  mkdirSync(root)
  const containerdSocket = join(root, "containerd.sock")
  const socket = join(root, "docker.sock")
  writeFileSync(
    join(root, "containerd.toml"),
    [
      "version = 2",
      `root = "${root}/containerd"`,
      `state = "${root}/containerd-state"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      "[grpc]",
      `  address = "${containerdSocket}"`,
    ].join("\n"),
  )
  // Not the machine's own configuration.
  writeFileSync(join(root, "daemon.json"), "{}")
  const containerd = spawn(root, "containerd", ["containerd", "--config", `${root}/containerd.toml`])
  await untilExists(containerdSocket, containerd, join(root, "containerd.log"))
  const dockerd = spawn(root, "dockerd", [
    "dockerd",
    ...["--host", `unix://${socket}`, "--containerd", containerdSocket],
    ...["--data-root", `${root}/data`, "--exec-root", `${root}/exec`, "--pidfile", `${root}/pid`],
    ...["--cgroup-parent", "/dhow-bench", "--config-file", `${root}/daemon.json`],
  ])
  await untilExists(socket, dockerd, join(root, "dockerd.log"))
  const cli = [client, "--host", `unix://${socket}`]
  await run([...cli, "import", fixtures.busybox, IMAGE])
  const version = (await run([...cli, "version", "--format", "{{.Server.Version}}"])).trim()
  const clientVersion = (await run([...cli, "version", "--format", "{{.Client.Version}}"])).trim()
  return {
    name: "docker",
    version: `${version} (client ${clientVersion})`,
    cli,
    client,
    runOptions: [],
    removeOptions: [],
    registryOptions: [],
    loadsGzip: true,
    storage: root,
    daemons: () => [containerd.pid, dockerd.pid],
    monitors: () => processes((program, line) => program.startsWith("containerd-shim") && line.includes(root)),
    async close() {
      await end(dockerd)
      await end(containerd)
    },
  }
}

function spawn(root: string, name: string, command: readonly string[]): Bun.Subprocess {
  const log = openSync(join(root, `${name}.log`), "a")
  return Bun.spawn([...command], { stdin: "ignore", stdout: log, stderr: log })
}
