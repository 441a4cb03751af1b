// What a container finds that runs by the specs of src/runtime: its identity, files, capabilities, filter, devices.
import { describe, expect, test } from "bun:test"
import { existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { runtimeError } from "../../src/runtime/errors.ts"
import { execProcess } from "../../src/runtime/process.ts"
import { serializeProcess } from "../../src/runtime/spec.ts"
import { resolveUser } from "../../src/runtime/user.ts"
import { type Asked, runtimeContainers, runtimes, usable } from "../support/runtime-containers.ts"

const INIT = "/usr/bin/catatonit"

describe.skipIf(!usable).each(runtimes)("containers through %s", (name) => {
  const containers = runtimeContainers(name)
  const { host, run, create, until, sh } = containers

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
    expect(existsSync(join(containers.rootfs, "dev/init"))).toBe(false)
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
    await containers.runtime.start(id)
    try {
      const process = execProcess({
        exec: { Cmd: ["sh", "-c", "id -u; echo $A $HOME; grep Seccomp: /proc/self/status"], Env: ["A=b"] },
        config: { Env: ["A=a"] },
        hostConfig: {},
        hostname: "inside",
        user: resolveUser(containers.rootfs, "web"),
        host,
      })
      const file = join(containers.directory, "process.json")
      writeFileSync(file, serializeProcess(process))
      const { stdout } = Bun.spawnSync([
        containers.runtime.path,
        ...containers.runtime.args,
        "exec",
        "--process",
        file,
        id,
      ])
      expect(stdout.toString()).toBe("1000\nb /srv\nSeccomp:\t2\n")
    } finally {
      await containers.runtime.delete(id)
    }
  })

  test("a filter that was compiled once denies the same when it is used again", async () => {
    const script = "grep Seccomp: /proc/self/status; unshare -U true || echo denied"
    for (const round of [1, 2, 3]) {
      const { id, output } = create(sh(script), { hostConfig: { CapAdd: ["sys_nice"] } })
      const config = readFileSync(join(containers.directory, "bundles", id, "config.json"), "utf8")
      if (name === "crun") expect(config.includes("run.oci.seccomp_bpf_data")).toBe(round > 1)
      await containers.runtime.start(id)
      await until(async () => (await containers.runtime.state(id))?.status === "stopped")
      await containers.runtime.delete(id)
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
