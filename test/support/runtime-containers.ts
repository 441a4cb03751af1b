// Real containers of the specs made by src/runtime, through crun and runc: needs root and busybox-static. Everything is
// under a directory and a cgroup of its own, and both are gone afterwards.
import { afterAll, beforeAll, expect } from "bun:test"
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { cgroupDirectories, removeEmptyCgroup } from "../../src/runtime/cgroups.ts"
import type { Runtime } from "../../src/runtime/contract.ts"
import { resolveDevices } from "../../src/runtime/devices.ts"
import { prepareHost, probeHost } from "../../src/runtime/host.ts"
import { openRuntimes } from "../../src/runtime/runtimes.ts"
import { containerSpec } from "../../src/runtime/spec.ts"
import type { SpecInput } from "../../src/runtime/spec-input.ts"
import { resolveUser } from "../../src/runtime/user.ts"
import type { ContainerConfig, HostConfig } from "../../src/wire/container.ts"

const BUSYBOX = "/bin/busybox"
const APPLETS =
  "sh cat grep env id hostname unshare ls stat sleep dd touch true mount chmod ps kill date head tail wc mknod ping"
export const usable = process.getuid?.() === 0 && existsSync(BUSYBOX)
/** Those that are installed. */
export const runtimes = ["crun", "runc"].filter((name) =>
  Bun.which(name, { PATH: "/usr/bin:/usr/sbin:/usr/local/bin" }),
)

export type Asked = { config?: ContainerConfig; hostConfig?: HostConfig; input?: Partial<SpecInput> }

/** To be called within a `describe`, for one runtime by its name. */
export function runtimeContainers(name: string) {
  const parent = `/dhow-test-${process.pid}-${name}`
  let directory: string
  let rootfs: string
  let runtime: Runtime
  let serial = 0
  if (usable) prepareHost()
  const host = usable ? probeHost() : undefined!

  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "dhow-runtime-"))
    rootfs = join(directory, "rootfs")
    for (const path of ["bin", "etc", "tmp", "proc", "sys", "dev"]) mkdirSync(join(rootfs, path), { recursive: true })
    copyFileSync(BUSYBOX, join(rootfs, "bin/busybox"))
    for (const applet of APPLETS.split(" ")) symlinkSync("busybox", join(rootfs, "bin", applet))
    writeFileSync(join(rootfs, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001::/srv:/bin/sh\n")
    writeFileSync(join(rootfs, "etc/group"), "root:x:0:\nweb:x:1001:\nextra:x:1500:web\n")
    writeFileSync(join(rootfs, "etc/notexec"), "text\n")
    mkdirSync(join(rootfs, "root"))
    runtime = openRuntimes({ execRoot: join(directory, "exec"), defaultRuntime: name, runtimes: {}, facts: host }).get(
      "",
    )
  })

  afterAll(async () => {
    // A test that failed half-way leaves its container.
    for (let number = 0; number < serial; number++) await runtime.delete(`c${number}`, `${parent}/c${number}`)
    rmSync(directory, { recursive: true, force: true })
    removeEmptyCgroup(parent, host.cgroup)
    for (const left of cgroupDirectories(parent, host.cgroup)) expect(existsSync(left)).toBe(false)
  })

  function bundle(
    command: readonly string[],
    { config, hostConfig = {}, input }: Asked = {},
  ): { id: string; path: string } {
    const id = `c${serial++}`
    const path = join(directory, "bundles", id)
    mkdirSync(path, { recursive: true })
    const merged: ContainerConfig = { Cmd: [...command], ...config }
    const { spec } = containerSpec({
      id,
      hostname: "inside",
      config: merged,
      hostConfig,
      rootfs,
      mounts: [],
      user: resolveUser(rootfs, merged.User ?? "", hostConfig.GroupAdd ?? []),
      devices: resolveDevices(hostConfig),
      network: "private",
      pid: "private",
      ipc: "private",
      uts: "private",
      cgroup: host.cgroup.mode === "v2" ? "private" : "host",
      init: undefined,
      cgroupsPath: `${parent}/${id}`,
      host,
      ...input,
    })
    writeFileSync(join(path, "config.json"), runtime.config(id, spec))
    return { id, path }
  }

  function run(command: readonly string[], asked: Asked = {}): { exitCode: number; stdout: string; stderr: string } {
    const { id, path } = bundle(command, asked)
    const { exitCode, stdout, stderr } = Bun.spawnSync([runtime.path, ...runtime.args, "run", "--bundle", path, id])
    return { exitCode, stdout: stdout.toString(), stderr: stderr.toString() }
  }

  /** As conmon does it: created, waiting to be started, its streams in files. */
  function create(command: readonly string[], asked: Asked = {}): { id: string; pid: number; output: string } {
    const { id, path } = bundle(command, asked)
    const output = join(path, "output")
    const created = Bun.spawnSync(
      [
        "sh",
        "-c",
        '"$@" >"$OUTPUT" 2>&1 </dev/null',
        "sh",
        runtime.path,
        ...runtime.args,
        "create",
        "--bundle",
        path,
        "--pid-file",
        join(path, "pid"),
        id,
      ],
      { env: { ...process.env, OUTPUT: output } },
    )
    if (created.exitCode !== 0) throw new Error(readFileSync(output, "utf8"))
    return { id, pid: Number(readFileSync(join(path, "pid"), "utf8")), output }
  }

  async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 10_000
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error("waited 10 seconds in vain")
      await Bun.sleep(5)
    }
  }

  const sh = (script: string): string[] => ["sh", "-c", script]

  return {
    parent,
    host,
    bundle,
    run,
    create,
    until,
    sh,
    get directory() {
      return directory
    },
    get rootfs() {
      return rootfs
    },
    get runtime() {
      return runtime
    },
  }
}
