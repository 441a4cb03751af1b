// Real containers of the specs made by src/runtime, through crun and runc: needs root and busybox-static. Everything is
// under a directory and a cgroup of its own, and both are gone afterwards.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
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
import { cgroupDirectories, oomKilled, removeEmptyCgroup } from "../src/runtime/cgroups.ts"
import type { Runtime } from "../src/runtime/contract.ts"
import { resolveDevices } from "../src/runtime/devices.ts"
import { runtimeError } from "../src/runtime/errors.ts"
import { prepareHost, probeHost } from "../src/runtime/host.ts"
import { execProcess } from "../src/runtime/process.ts"
import { runtimeResources } from "../src/runtime/resources.ts"
import { openRuntimes } from "../src/runtime/runtimes.ts"
import { containerSpec, serializeProcess } from "../src/runtime/spec.ts"
import type { SpecInput } from "../src/runtime/spec-input.ts"
import { resolveUser } from "../src/runtime/user.ts"
import { verifyResources } from "../src/runtime/verify-resources.ts"
import type { ContainerConfig, HostConfig } from "../src/wire/container.ts"

const BUSYBOX = "/bin/busybox"
const APPLETS =
  "sh cat grep env id hostname unshare ls stat sleep dd touch true mount chmod ps kill date head tail wc mknod ping"
const INIT = "/usr/bin/catatonit"
const usable = process.getuid?.() === 0 && existsSync(BUSYBOX)
const runtimes = ["crun", "runc"].filter((name) => Bun.which(name, { PATH: "/usr/bin:/usr/sbin:/usr/local/bin" }))

describe.skipIf(!usable).each(runtimes)("containers through %s", (name) => {
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

  type Asked = { config?: ContainerConfig; hostConfig?: HostConfig; input?: Partial<SpecInput> }

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

  test("a plain container has Docker's fourteen capabilities, a filter and no root of ours", () => {
    const { stdout, exitCode } = run(
      sh("grep -E '^(CapBnd|CapEff|Seccomp|NoNewPrivs):' /proc/self/status; hostname; id -u"),
    )
    expect(exitCode).toBe(0)
    expect(stdout).toContain("CapBnd:\t00000000a80425fb")
    expect(stdout).toContain("CapEff:\t00000000a80425fb")
    expect(stdout).toContain("Seccomp:\t2")
    expect(stdout).toContain("NoNewPrivs:\t0")
    expect(stdout).toEndWith("inside\n0\n")
  })

  test("environment, working directory, user and groups are as Docker makes them", () => {
    const { stdout } = run(sh("pwd; id; env"), {
      config: { User: "web", WorkingDir: "/made/for/it", Env: ["A=1", "PATH=/bin"] },
      hostConfig: { GroupAdd: ["1600"] },
    })
    expect(stdout).toContain("/made/for/it\n")
    expect(stdout).toContain("uid=1000(web) gid=1001(web) groups=1001(web),1500(extra),1600")
    for (const line of ["A=1", "PATH=/bin", "HOME=/srv", "HOSTNAME=inside"]) expect(stdout).toContain(`${line}\n`)
  })

  test("masked paths are empty, read-only ones refuse, and privileged has neither", () => {
    const script = "cat /proc/keys | wc -l; touch /proc/sys/x; echo 1 > /proc/sys/kernel/printk || echo refused"
    const plain = run(sh(script))
    expect(plain.stdout).toBe("0\nrefused\n")
    const privileged = run(
      sh("grep -c ' /proc/sys ' /proc/mounts; grep CapEff /proc/self/status; grep Seccomp: /proc/self/status"),
      {
        hostConfig: { Privileged: true },
      },
    )
    expect(privileged.stdout).toStartWith("0\n")
    expect(privileged.stdout).toContain("Seccomp:\t0")
    const own = readFileSync("/proc/self/status", "utf8")
    expect(privileged.stdout).toContain(/CapPrm:\t(\w+)/.exec(own)![1]!)
  })

  test("the filter denies what needs CAP_SYS_ADMIN, and unconfined lifts it", () => {
    expect(run(sh("unshare -U true")).stderr).toContain("Operation not permitted")
    expect(run(sh("unshare -U true"), { hostConfig: { SecurityOpt: ["seccomp=unconfined"] } }).exitCode).toBe(0)
    const profile = JSON.stringify({
      defaultAction: "SCMP_ACT_ALLOW",
      syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 28 }],
    })
    const custom = run(["busybox", "mkdir", "/tmp/x"], { hostConfig: { SecurityOpt: [`seccomp=${profile}`] } })
    expect(custom.stderr).toContain("No space left on device")
  })

  test("capabilities are added and dropped; no-new-privileges and sysctls are set", () => {
    const { stdout } = run(
      sh(
        "grep -E '^(CapBnd|NoNewPrivs)' /proc/self/status; cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range /proc/sys/net/ipv4/tcp_syncookies",
      ),
      {
        hostConfig: {
          CapDrop: ["all"],
          CapAdd: ["net_admin"],
          SecurityOpt: ["no-new-privileges"],
          Sysctls: { "net.ipv4.tcp_syncookies": "0" },
        },
      },
    )
    expect(stdout).toEndWith("0\n0\t2147483647\n0\n")
    expect(stdout).toContain("CapBnd:\t0000000000001000")
    expect(stdout).toContain("NoNewPrivs:\t1")
  })

  test("an init runs as process 1 and the command below it", () => {
    if (!existsSync(INIT)) return
    const { stdout, stderr } = run(sh("cat /proc/1/cmdline; echo; echo $$"), { input: { init: INIT } })
    expect(stderr).toBe("")
    expect(stdout).toStartWith("/dev/init\0--\0sh\0")
    expect(Number(stdout.trim().split("\n").at(-1))).toBeGreaterThan(1)
    expect(existsSync(join(rootfs, "dev/init"))).toBe(false)
  })

  test("a read-only root refuses, its tmpfs does not, and options of --tmpfs apply", () => {
    const { stdout, stderr } = run(sh("touch /x; touch /t/x && grep ' /t ' /proc/mounts"), {
      hostConfig: { ReadonlyRootfs: true, Tmpfs: { "/t": "size=4m,mode=700,exec" } },
    })
    expect(stderr).toContain("Read-only file system")
    expect(stdout).toContain("size=4096k,mode=700")
    expect(stdout).toContain("nosuid,nodev")
    expect(stdout).not.toContain("noexec")
  })

  test("/dev/shm has its size, ulimits their values", () => {
    const { stdout } = run(sh("grep ' /dev/shm ' /proc/mounts; ulimit -n; ulimit -c"), {
      hostConfig: {
        ShmSize: 1 << 20,
        Ulimits: [
          { Name: "nofile", Soft: 100, Hard: 200 },
          { Name: "core", Soft: -1, Hard: -1 },
        ],
      },
    })
    expect(stdout).toContain("size=1024k")
    expect(stdout).toEndWith("100\nunlimited\n")
  })

  test("limits are in the cgroup, can be changed, and the cgroup goes with the container", async () => {
    const { resources } = verifyResources(
      { Memory: 64 << 20, NanoCpus: 5e8, PidsLimit: 50, CpuShares: 512, CpusetCpus: "0" },
      host,
    )
    const { id } = create(["sleep", "60"], { hostConfig: resources })
    try {
      await runtime.start(id)
      const read = (v1: readonly [string, string], v2: string): string => {
        const root = host.cgroup.hierarchies.get(v1[0])
        const file = root === undefined ? join(host.cgroup.unified!, parent, id, v2) : join(root, parent, id, v1[1])
        return readFileSync(file, "utf8").trim()
      }
      expect(read(["memory", "memory.limit_in_bytes"], "memory.max")).toBe(String(64 << 20))
      expect(read(["pids", "pids.max"], "pids.max")).toBe("50")
      expect(read(["cpuset", "cpuset.cpus"], "cpuset.cpus")).toBe("0")
      if (host.cgroup.mode !== "v2") {
        expect(read(["memory", "memory.memsw.limit_in_bytes"], "")).toBe(String(128 << 20))
        expect(read(["cpu", "cpu.cfs_quota_us"], "")).toBe("50000")
        expect(read(["cpu", "cpu.shares"], "")).toBe("512")
      }
      await runtime.update(id, runtimeResources({ Memory: 32 << 20, MemorySwap: 64 << 20, PidsLimit: -1 }))
      expect(read(["memory", "memory.limit_in_bytes"], "memory.max")).toBe(String(32 << 20))
      expect(read(["pids", "pids.max"], "pids.max")).toBe("max")
    } finally {
      await runtime.delete(id)
    }
    for (const left of cgroupDirectories(`${parent}/${id}`, host.cgroup)) expect(existsSync(left)).toBe(false)
  })

  test("start, state, pause, resume, kill and delete go through a container's life", async () => {
    const { id, pid, output } = create(sh("echo started; trap 'echo got; exit 4' TERM; while :; do sleep 0.05; done"))
    expect(await runtime.state(id)).toEqual({ status: "created", pid })
    await runtime.start(id)
    await until(() => readFileSync(output, "utf8").includes("started"))
    expect(await runtime.state(id)).toEqual({ status: "running", pid })
    expect(await runtime.processes(id)).toContain(pid)
    await runtime.pause(id)
    expect((await runtime.state(id))?.status).toBe("paused")
    await runtime.resume(id)
    await runtime.kill(id, 15, pid)
    await until(async () => (await runtime.state(id))?.status === "stopped")
    expect(readFileSync(output, "utf8")).toContain("got")
    await expect(runtime.kill(id, 9)).rejects.toThrow(/not running/)
    await runtime.delete(id)
    expect(await runtime.state(id)).toBeUndefined()
    await runtime.delete(id)
  })

  test("delete() ends a running container, one never started, and one without processes of its own namespace", async () => {
    const running = create(["sleep", "60"])
    await runtime.start(running.id)
    await runtime.delete(running.id)
    const waiting = create(["sleep", "60"])
    await runtime.delete(waiting.id)
    const shared = create(sh("sleep 60 & sleep 60 & wait"), { input: { pid: "host" } })
    await runtime.start(shared.id)
    await until(async () => (await runtime.processes(shared.id)).length === 3)
    await runtime.kill(shared.id, 9, shared.pid)
    await runtime.delete(shared.id, `${parent}/${shared.id}`)
    for (const { id } of [running, waiting, shared]) {
      expect(await runtime.state(id)).toBeUndefined()
      for (const left of cgroupDirectories(`${parent}/${id}`, host.cgroup)) expect(existsSync(left)).toBe(false)
    }
  })

  test("start() of a container whose process has died says so and does not wait", async () => {
    const { id, pid } = create(["sleep", "60"])
    process.kill(pid, "SIGKILL")
    await until(async () => (await runtime.state(id))?.status === "stopped")
    await expect(runtime.start(id)).rejects.toThrow()
    await runtime.delete(id)
  })

  test("a process that the kernel killed for want of memory is counted", async () => {
    const { id } = create(["sh", "-c", "head -c 64m /dev/zero | tail -n 1"], {
      hostConfig: { Memory: 8 << 20, MemorySwap: 8 << 20 },
    })
    try {
      expect(oomKilled(`${parent}/${id}`, host.cgroup)).toBe(false)
      await runtime.start(id)
      await until(() => oomKilled(`${parent}/${id}`, host.cgroup))
    } finally {
      await runtime.delete(id)
    }
  })

  test("devices: one given by name works, an ungiven one is refused", () => {
    const script = "cat /dev/given | head -c 3 | wc -c; mknod /dev/other c 1 11; cat /dev/other"
    const { stdout, stderr } = run(sh(script), {
      hostConfig: { Devices: [{ PathOnHost: "/dev/zero", PathInContainer: "/dev/given", CgroupPermissions: "r" }] },
    })
    expect(stdout).toBe("3\n")
    expect(stderr).toContain("Operation not permitted")
    expect(run(sh("ls /dev | wc -l"), { hostConfig: { Privileged: true } }).exitCode).toBe(0)
  })

  test("an exec has its own user and environment, and the container's filter", async () => {
    const { id } = create(["sleep", "60"])
    await runtime.start(id)
    try {
      const process = execProcess({
        exec: { Cmd: ["sh", "-c", "id -u; echo $A $HOME; grep Seccomp: /proc/self/status"], Env: ["A=b"] },
        config: { Env: ["A=a"] },
        hostConfig: {},
        hostname: "inside",
        user: resolveUser(rootfs, "web"),
        host,
      })
      const file = join(directory, "process.json")
      writeFileSync(file, serializeProcess(process))
      const { stdout } = Bun.spawnSync([runtime.path, ...runtime.args, "exec", "--process", file, id])
      expect(stdout.toString()).toBe("1000\nb /srv\nSeccomp:\t2\n")
    } finally {
      await runtime.delete(id)
    }
  })

  test("a filter that was compiled once denies the same when it is used again", async () => {
    const script = "grep Seccomp: /proc/self/status; unshare -U true || echo denied"
    for (const round of [1, 2, 3]) {
      const { id, output } = create(sh(script), { hostConfig: { CapAdd: ["sys_nice"] } })
      const config = readFileSync(join(directory, "bundles", id, "config.json"), "utf8")
      if (name === "crun") expect(config.includes("run.oci.seccomp_bpf_data")).toBe(round > 1)
      await runtime.start(id)
      await until(async () => (await runtime.state(id))?.status === "stopped")
      await runtime.delete(id)
      expect(readFileSync(output, "utf8")).toContain("Seccomp:\t2\n")
      expect(readFileSync(output, "utf8")).toEndWith("denied\n")
    }
  })

  test("what cannot be run is told in Docker's words with Docker's exit status", () => {
    const failure = (command: string, asked: Asked = {}): { message: string; exitCode: number | undefined } => {
      const { stderr, exitCode } = run([command], asked)
      expect(exitCode).not.toBe(0)
      const { message, exitCode: status } = runtimeError(stderr, { verb: "create", command })
      return { message, exitCode: status }
    }
    expect(failure("nosuch")).toEqual({
      message: expect.stringContaining('exec: "nosuch": executable file not found in $PATH'),
      exitCode: 127,
    })
    expect(failure("/no/such")).toEqual({
      message: expect.stringContaining("no such file or directory"),
      exitCode: 127,
    })
    expect(failure("/etc/notexec")).toEqual({ message: expect.stringContaining("permission denied"), exitCode: 126 })
    expect(failure("/tmp")).toEqual({ message: expect.stringContaining("permission denied"), exitCode: 126 })
    const bind = (source: string, destination: string): Asked => ({
      input: { mounts: [{ source, destination, type: "bind", options: ["rbind"] }] },
    })
    expect(failure("true", bind("/no/such/source", "/x"))).toEqual({
      message: expect.stringContaining(
        'error mounting "/no/such/source": stat /no/such/source: no such file or directory',
      ),
      exitCode: 127,
    })
    expect(failure("true", bind("/etc/passwd", "/tmp")).message).toContain(
      'error mounting "/etc/passwd" to rootfs at "/tmp"',
    )
    expect(failure("true", { config: { WorkingDir: "/etc/notexec" } }).message).toContain(
      'cannot enter the working directory "/etc/notexec": not a directory',
    )
    expect(failure("true", { hostConfig: { Sysctls: { "kernel.foo": "1" } } }).message).toContain("kernel.foo")
  })
})
