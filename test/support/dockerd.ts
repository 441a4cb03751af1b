// Docker's own daemon over a directory of its own: no bridge, no packet filter rules, nothing of the machine's settings.
import { mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { mountsBelow } from "./kernel-objects.ts"

/** Whether this machine has one. */
export const hasDockerd = Bun.which("dockerd") !== null && Bun.which("containerd") !== null

export class TestDockerd {
  readonly root = mkdtempSync(join(tmpdir(), "dhow-dockerd-"))
  readonly socket = join(this.root, "docker.sock")
  readonly #processes: Bun.Subprocess[] = []

  async start(): Promise<void> {
    const { root } = this
    const containerd = join(root, "containerd.sock")
    const settings = `version = 2\nroot = "${root}/containerd"\nstate = "${root}/containerd-state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "${containerd}"\n`
    writeFileSync(join(root, "containerd.toml"), settings)
    writeFileSync(join(root, "daemon.json"), "{}")
    mkdirSync(join(root, "home"))
    this.#spawn("containerd", ["--config", join(root, "containerd.toml")])
    await this.#answers(containerd)
    this.#spawn("dockerd", [
      ...["--host", `unix://${this.socket}`, "--containerd", containerd, "--config-file", join(root, "daemon.json")],
      ...["--data-root", join(root, "data"), "--exec-root", join(root, "exec"), "--pidfile", join(root, "pid")],
      ...["--bridge", "none", "--iptables=false", "--ip6tables=false", "--ip-forward=false", "--storage-driver", "vfs"],
    ])
    await this.#answers(this.socket)
  }

  async stop(): Promise<void> {
    for (const child of this.#processes.reverse()) {
      child.kill("SIGTERM")
      await child.exited
    }
    for (const path of mountsBelow(this.root).reverse()) Bun.spawnSync(["umount", "-l", path])
    rmSync(this.root, { recursive: true, force: true })
  }

  #spawn(program: string, args: readonly string[]): void {
    const log = openSync(join(this.root, `${program}.log`), "a")
    const env = { PATH: process.env["PATH"] ?? "", HOME: join(this.root, "home") }
    this.#processes.push(Bun.spawn([program, ...args], { stdio: ["ignore", log, log], env }))
  }

  /** Until somebody listens there, or who should has ended. */
  async #answers(socket: string): Promise<void> {
    const child = this.#processes.at(-1)!
    for (;;) {
      if (child.exitCode !== null) throw new Error(await Bun.file(join(this.root, "dockerd.log")).text())
      try {
        const connection = await Bun.connect({ unix: socket, socket: { data() {} } })
        connection.end()
        return
      } catch {
        await Bun.sleep(50)
      }
    }
  }
}
