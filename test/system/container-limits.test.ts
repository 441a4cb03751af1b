// What the limits, devices and security settings of a create request come to: read in the container, where the kernel
// shows them.
import { afterAll, expect, test } from "bun:test"
import { randomBytes } from "node:crypto"
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { testEngine } from "../support/fixture.ts"
import { type Body, runContainer } from "../support/run-container.ts"

const isV1 = existsSync("/sys/fs/cgroup/memory")
const has = (controller: string, file: string): boolean => existsSync(`/sys/fs/cgroup/${controller}/${file}`)
/** A device that reads and writes can be slowed down on. */
const disk = existsSync("/sys/block")
  ? readdirSync("/sys/block").find((name) => /^(?:[vsx]?v?d[a-z]|nvme\d+n\d+)$/.test(name))
  : undefined

const specifications = join(tmpdir(), `dhow-cdi-${randomBytes(4).toString("hex")}`)
const engine = testEngine(["--cdi-spec-dir", specifications])
afterAll(() => rmSync(specifications, { recursive: true, force: true }))

const run = (hostConfig: object, script: string, config: object = {}) =>
  runContainer(engine, { ...config, HostConfig: { NetworkMode: "none", ...hostConfig } }, script)

const MiB = 1 << 20

test.skipIf(!isV1)("limits are in the container's cgroups", async () => {
  const throttle = disk === undefined ? [] : [{ Path: `/dev/${disk}`, Rate: 2 * MiB }]
  const hugepages = has("hugetlb", "hugetlb.2MB.limit_in_bytes")
  const { output, warnings, error } = await run(
    {
      CpuShares: 512,
      CpuPeriod: 50_000,
      CpuQuota: 25_000,
      CpusetCpus: "0",
      CpusetMems: "0",
      Memory: 64 * MiB,
      MemoryReservation: 32 * MiB,
      MemorySwap: 96 * MiB,
      MemorySwappiness: 10,
      OomKillDisable: true,
      OomScoreAdj: 500,
      PidsLimit: 50,
      ShmSize: 2 * MiB,
      Ulimits: [
        { Name: "nofile", Soft: 100, Hard: 200 },
        { Name: "core", Soft: 0, Hard: 0 },
      ],
      BlkioDeviceReadBps: throttle,
      BlkioDeviceWriteBps: throttle,
      BlkioDeviceReadIOps: throttle,
      BlkioDeviceWriteIOps: throttle,
      ...(hugepages ? { HugetlbLimits: [{ PageSize: "2MB", Limit: 4 * MiB }] } : {}),
    },
    `cd /sys/fs/cgroup
    cat cpu/cpu.shares cpu/cpu.cfs_period_us cpu/cpu.cfs_quota_us cpuset/cpuset.cpus cpuset/cpuset.mems
    cat memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.swappiness pids/pids.max
    grep oom_kill_disable memory/memory.oom_control; cat /proc/self/oom_score_adj
    ulimit -n; ulimit -Hn; grep /dev/shm /proc/mounts
    for what in read_bps write_bps read_iops write_iops; do cat blkio/blkio.throttle.$what""_device; done
    cat hugetlb/hugetlb.2MB.limit_in_bytes 2>/dev/null`,
  )
  expect(error).toBe("")
  const lines = output.split("\n")
  expect(lines.slice(0, 14)).toEqual([
    ...["512", "50000", "25000", "0", "0", `${64 * MiB}`, `${32 * MiB}`, "10", "50"],
    ...["oom_kill_disable 1", "500", "100", "200", expect.stringContaining("size=2048k") as unknown as string],
  ])
  const throttled = lines.filter((line) => /^\d+:\d+ \d+$/.test(line))
  expect(throttled.map((line) => line.split(" ")[1])).toEqual(disk === undefined ? [] : Array(4).fill(`${2 * MiB}`))
  if (hugepages) expect(lines.at(-1)).toBe(`${4 * MiB}`)
  // A kernel without swap accounting says so, and nothing else is left out.
  expect(warnings.filter((warning) => !warning.includes("swap limit"))).toEqual([])
})

test.skipIf(!isV1)("a part of the CPUs, a parent and a namespace of its own are the cgroup's", async () => {
  const parent = `${engine.cgroupParent}/deeper`
  const { output, inspect } = await run(
    { NanoCpus: 500_000_000, CgroupParent: parent, CgroupnsMode: "private" },
    "cat /sys/fs/cgroup/cpu/cpu.cfs_quota_us; grep -c ':/$' /proc/self/cgroup; grep -vc ':/$' /proc/self/cgroup",
  )
  expect(output).toMatch(/^50000\n\d+\n0$/)
  expect(inspect.HostConfig).toMatchObject({ NanoCpus: 500_000_000, CgroupParent: parent, CgroupnsMode: "private" })
  const host = await run({ CgroupParent: parent }, "head -1 /proc/self/cgroup")
  expect(host.output).toContain(`:${parent}/`)
  // A parent that a user names is the user's: the engine leaves it there.
  const made = () =>
    readdirSync("/sys/fs/cgroup")
      .map((name) => join("/sys/fs/cgroup", name, parent))
      .filter(existsSync)
  while (made().length > 0)
    for (const directory of made()) Bun.spawnSync(["rmdir", directory], { stdio: ["ignore", "ignore", "ignore"] })
})

test.skipIf(!existsSync("/dev/net/tun"))("devices are those that were asked for, with their permissions", async () => {
  const list = isV1 ? "cat /sys/fs/cgroup/devices/devices.list" : "true"
  const { output } = await run(
    {
      Devices: [
        { PathOnHost: "/dev/null", PathInContainer: "/dev/nothing", CgroupPermissions: "rw" },
        { PathOnHost: "/dev/net", PathInContainer: "/dev/nets", CgroupPermissions: "r" },
      ],
      DeviceCgroupRules: ["c 42:* rwm"],
    },
    `stat -c %t:%T /dev/nothing; ls /dev/nets; ${list}`,
  )
  expect(output).toMatch(/^1:3\ntun/)
  if (isV1) {
    expect(output).toContain("c 42:* rwm")
    expect(output).toContain("c 10:200 r\n")
  }
  const missing = await run({ Devices: [{ PathOnHost: "/dev/nope", PathInContainer: "/dev/n" }] }, "true")
  expect(missing.error).toContain('error gathering device information while adding custom device "/dev/nope"')
})

test("CDI devices bring variables, nodes, mounts and hooks, and a GPU is one of them", async () => {
  mkdirSync(specifications)
  const log = join(engine.root, "hooks")
  const hook = (hookName: string) => ({
    hookName,
    path: "/bin/sh",
    // A hook reads the container's state: crun dies of one that ends before.
    args: ["sh", "-c", `cat > /dev/null; echo ${hookName} >> ${log}`],
  })
  const edits = {
    env: ["FROM_CDI=yes"],
    deviceNodes: [{ path: "/dev/vendor", hostPath: "/dev/zero", permissions: "r" }],
    mounts: [{ hostPath: specifications, containerPath: "/vendor", options: ["rbind", "ro"] }],
    hooks: ["createRuntime", "poststart", "poststop"].map(hook),
  }
  const file = { cdiVersion: "0.6.0", kind: "vendor.com/device", devices: [{ name: "one", containerEdits: edits }] }
  writeFileSync(join(specifications, "vendor.json"), JSON.stringify(file))
  writeFileSync(
    join(specifications, "gpu.yaml"),
    "cdiVersion: 0.5.0\nkind: nvidia.com/gpu\ndevices:\n- name: all\n  containerEdits:\n    env: [GPUS=all]\n",
  )
  const { output, error } = await run(
    {
      DeviceRequests: [
        { Driver: "cdi", DeviceIDs: ["vendor.com/device=one"] },
        { Count: -1, Capabilities: [["gpu"]] },
      ],
    },
    "echo $FROM_CDI $GPUS; stat -c %t:%T /dev/vendor; ls /vendor",
  )
  expect(error).toBe("")
  expect(output).toBe("yes all\n1:5\ngpu.yaml\nvendor.json")
  // The last hook runs while the container is taken away.
  while ((await Bun.file(log).text()).split("\n").length < 4) await Bun.sleep(20)
  expect(await Bun.file(log).text()).toBe("createRuntime\npoststart\npoststop\n")
  const none = await run({ DeviceRequests: [{ Driver: "cdi", DeviceIDs: ["vendor.com/device=two"] }] }, "true")
  expect(none.error).toContain("CDI device injection failed: unresolvable CDI devices vendor.com/device=two")
  const amd = await run({ DeviceRequests: [{ Driver: "amd", Count: 1, Capabilities: [["gpu"]] }] }, "true")
  expect(amd.error).toContain('could not select device driver "amd" with capabilities: [[gpu]]')
})

test("capabilities, seccomp, hidden paths and read-only files are the kernel's", async () => {
  const status = "grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status | tr -d '\\n\\t'"
  const profile = {
    defaultAction: "SCMP_ACT_ALLOW",
    syscalls: [{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO", errnoRet: 13 }],
  }
  const { output } = await run(
    {
      CapDrop: ["ALL"],
      CapAdd: ["chown", "CAP_NET_ADMIN"],
      SecurityOpt: ["no-new-privileges", `seccomp=${JSON.stringify(profile)}`],
      ReadonlyRootfs: true,
      MaskedPaths: ["/etc/passwd", "/vol"],
      ReadonlyPaths: ["/dev/shm"],
      Tmpfs: { "/tmp": "size=64k" },
    },
    `${status}; echo; mkdir /tmp/x; cat /etc/passwd /etc/hosts | wc -l; ls /vol; touch /x /etc/hosts /dev/shm/x; touch /tmp/y && echo tmp`,
  )
  expect(output).toStartWith("CapEff:0000000000001001NoNewPrivs:1Seccomp:2")
  expect(output).toContain("mkdir: can't create directory '/tmp/x': Permission denied")
  for (const path of ["/x", "/etc/hosts", "/dev/shm/x"])
    expect(output).toContain(`touch: ${path}: Read-only file system`)
  expect(output).toEndWith("\ntmp")
  expect(output).not.toContain("seed")
  const open = await run({ SecurityOpt: ["seccomp=unconfined", "label=disable"], MaskedPaths: [] }, status)
  expect(open.output).toContain("Seccomp:0")
})

test("a privileged container has all capabilities, the host's devices and writable system files", async () => {
  const { output, inspect } = await run(
    { Privileged: true },
    "grep CapEff /proc/self/status; ls /dev | wc -l; grep -cE ' (/sys|/proc/sys) [a-z]+ ro' /proc/mounts; grep Seccomp: /proc/self/status",
  )
  const [capabilities = "", devices = "", readOnly, seccomp] = output.split("\n")
  expect(BigInt(`0x${capabilities.split("\t")[1]}`)).toBeGreaterThan(0xff_ffff_ffffn)
  expect(Number(devices)).toBeGreaterThan(20)
  expect([readOnly, seccomp]).toEqual(["0", "Seccomp:\t0"])
  expect(inspect.HostConfig).toMatchObject({
    SecurityOpt: ["label=disable"],
    MaskedPaths: null,
    ReadonlyPaths: null,
  })
})

test("a missing program, an OOM kill and a failing create are told apart", async () => {
  const of = async (body: Body) => {
    const { inspect, error, exitCode } = await runContainer(engine, body)
    const { ExitCode, OOMKilled, Error: text, Status } = inspect.State
    return { error, exitCode, state: { ExitCode, OOMKilled, Status }, text }
  }
  const missing = await of({ Cmd: ["nosuch"] })
  expect(missing.state).toEqual({ ExitCode: 127, OOMKilled: false, Status: "created" })
  expect(missing.text).toContain('exec: "nosuch": executable file not found in $PATH')
  expect(missing.error).toBe(missing.text)
  const directory = await of({ Cmd: ["/etc"] })
  expect(directory.state).toEqual({ ExitCode: 126, OOMKilled: false, Status: "created" })
  expect(directory.text).toContain("permission denied")
  const greedy = await of({
    Cmd: ["sh", "-c", "x=a; while :; do x=$x$x; done"],
    HostConfig: { Memory: 20 * MiB },
  })
  expect(greedy.state).toEqual({ ExitCode: 137, OOMKilled: true, Status: "exited" })
  const failing = await of({ Cmd: ["true"], HostConfig: { Sysctls: { "vm.swappiness": "1" } } })
  expect(failing.state).toEqual({ ExitCode: 128, OOMKilled: false, Status: "created" })
  expect(failing.text).toContain("vm.swappiness")
  const stranger = await of({ Cmd: ["true"], User: "nobody-here" })
  expect(stranger.text).toContain("unable to find user nobody-here: no matching entries in passwd file")
})
