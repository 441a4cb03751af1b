// Docker's and Podman's engines with their state in a directory of the test: to be at the other end of a registry.
import { existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mountsBelow } from "./kernel-objects.ts"

export type OtherEngine = {
  readonly name: string
  /** Runs a command of the engine's client to its end; its output. */
  run(args: readonly string[], input?: Uint8Array): Promise<string>
  /** Flags of pull and push towards a registry on loopback. */
  readonly plain: readonly string[]
  close(): Promise<void>
}

export async function openOtherEngine(name: "docker" | "podman"): Promise<OtherEngine> {
  const root = mkdtempSync(join(tmpdir(), `dhow-${name}-`))
  const clear = (): void => {
    for (const path of mountsBelow(root).reverse()) Bun.spawnSync(["umount", "-l", path])
    rmSync(root, { recursive: true, force: true })
  }
  return name === "docker" ? await openDocker(root, clear) : openPodman(root, clear)
}

async function openDocker(root: string, clear: () => void): Promise<OtherEngine> {
  const socket = join(root, "s")
  mkdirSync(join(root, "client"))
  // Not the machine's own configuration.
  writeFileSync(join(root, "daemon.json"), "{}")
  const log = openSync(join(root, "log"), "a")
  const daemon = Bun.spawn(
    [
      "dockerd",
      ...["--host", `unix://${socket}`, "--data-root", `${root}/data`, "--exec-root", `${root}/exec`],
      ...["--pidfile", `${root}/pid`, "--config-file", `${root}/daemon.json`, "--storage-driver", "vfs"],
      ...["--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false"],
    ],
    { stdin: "ignore", stdout: log, stderr: log },
  )
  while (!existsSync(socket)) {
    if (daemon.exitCode !== null)
      throw new Error(`dockerd ended: ${readFileSync(join(root, "log"), "utf8").slice(-2000)}`)
    await Bun.sleep(20)
  }
  return {
    name: "docker",
    plain: [],
    run: (args, input) => run(["docker", "--config", join(root, "client"), "-H", `unix://${socket}`, ...args], input),
    async close() {
      // Its containerd goes with it.
      daemon.kill("SIGTERM")
      await daemon.exited
      clear()
    },
  }
}

function openPodman(root: string, clear: () => void): OtherEngine {
  const state = ["--root", `${root}/root`, "--runroot", `${root}/run`, "--tmpdir", `${root}/tmp`]
  return {
    name: "podman",
    plain: ["--tls-verify=false"],
    run: (args, input) =>
      run(["podman", ...state, "--storage-driver", "vfs", "--cgroup-manager", "cgroupfs", ...args], input),
    close: async () => clear(),
  }
}

async function run(command: readonly string[], input?: Uint8Array): Promise<string> {
  const child = Bun.spawn([...command], { stdin: input ?? "ignore", stdout: "pipe", stderr: "pipe" })
  const [out, complaint, status] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited])
  if (status !== 0) throw new Error(`${command.join(" ")}: ${complaint}`)
  return out
}
