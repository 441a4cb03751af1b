// The same containers made by Docker's own daemon and by this one: what inspect shows and what the process sees is the
// same, but for what is named here.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { hasDockerd, TestDockerd } from "../support/dockerd.ts"
import { busyboxTar } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"
import { type Body, type Daemon, runContainer } from "../support/run-container.ts"

/** What is each engine's own, or differs between this Docker and the one whose API is spoken here. */
const OWN =
  /^(?:Id|Created|Image|Name|Driver|(?:ResolvConf|Hostname|Hosts|Log)Path|GraphDriver\b.*|ImageManifestDescriptor\b.*|State\.(?:Pid|StartedAt|FinishedAt|Usage\b.*|By\b.*)|NetworkSettings\.(?:SandboxI?D?|SandboxKey|SandboxID|Networks\..*)|HostConfig\.(?:Runtime|MaskedPaths|KernelMemory|KernelMemoryTCP|PidsLimit|RestartPolicy\.Name)|Mounts)$/

const LIMITS = {
  ...{ Memory: 64 << 20, MemoryReservation: 32 << 20, MemorySwappiness: 10, OomScoreAdj: 500, CpuShares: 512 },
  ...{ CpuPeriod: 50_000, CpuQuota: 25_000, CpusetCpus: "0", CpusetMems: "0", PidsLimit: 50, ShmSize: 1 << 20 },
  Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }],
}
const STATUS = "grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp)' /proc/self/status"
const MOUNTS = "cut -d' ' -f5,6 /proc/self/mountinfo | sed 's/,relatime//' | grep -vE '^/(proc/|sys/fs| )' | sort"

const SAME: readonly (readonly [what: string, body: Body, script: string])[] = [
  [
    "plain",
    {},
    `${STATUS}; env | sort; ${MOUNTS}; ls /dev | grep -v core; ulimit -a; cat /proc/sys/net/ipv4/ip_unprivileged_port_start`,
  ],
  ["limited", { HostConfig: LIMITS }, "cat /proc/self/oom_score_adj; ulimit -n; ulimit -Hn; grep shm /proc/mounts"],
  [
    "confined",
    {
      ...{ User: "7:8", WorkingDir: "/a/../b", Env: ["A=b", "C"], Labels: { l: "m" }, Hostname: "box", StopTimeout: 3 },
      HostConfig: {
        ...{ ReadonlyRootfs: true, CapDrop: ["ALL"], CapAdd: ["net_admin"], SecurityOpt: ["no-new-privileges"] },
        ...{ Tmpfs: { "/t": "size=64k,mode=1777,exec" }, GroupAdd: ["9"], IpcMode: "none", CgroupnsMode: "private" },
        ...{ ExtraHosts: ["x:1.2.3.4"], Dns: ["9.9.9.9"], ReadonlyPaths: ["/vol"] },
      },
    },
    `${STATUS}; pwd; env | sort; ${MOUNTS}; touch /x /vol/x /etc/hosts; grep ' /t ' /proc/mounts; id -G; grep 1.2.3.4 /etc/hosts; cut -d: -f3 /proc/self/cgroup`,
  ],
]

/** Refused by both, at the create or at the start, with the same words. */
const REFUSED: readonly Body[] = [
  { HostConfig: { Memory: 1000 } },
  { HostConfig: { Memory: 64 << 20, MemorySwap: 32 << 20 } },
  { HostConfig: { MemorySwap: 32 << 20 } },
  { HostConfig: { Memory: 8 << 20, MemoryReservation: 9 << 20 } },
  { HostConfig: { MemorySwappiness: 101 } },
  { HostConfig: { CpuPeriod: 5 } },
  { HostConfig: { CpuQuota: 5 } },
  { HostConfig: { NanoCpus: 1e9, CpuQuota: 5000 } },
  { HostConfig: { CpusetCpus: "0-9999" } },
  { HostConfig: { CpusetCpus: "abc" } },
  { HostConfig: { CpusetMems: "77" } },
  { HostConfig: { OomScoreAdj: 2000 } },
  { HostConfig: { CapAdd: ["NOPE"] } },
  { HostConfig: { CapDrop: ["nope"] } },
  { HostConfig: { DeviceCgroupRules: ["x"] } },
  { HostConfig: { SecurityOpt: ["x"] } },
  { HostConfig: { SecurityOpt: ["x=y"] } },
  { HostConfig: { SecurityOpt: ["no-new-privileges=maybe"] } },
  { HostConfig: { UTSMode: "host" }, Hostname: "x" },
  { HostConfig: { NetworkMode: "container:x" }, Hostname: "a" },
  { HostConfig: { NetworkMode: "container:x", Dns: ["1.1.1.1"] } },
  { HostConfig: { NetworkMode: "container:x", ExtraHosts: ["a:1.1.1.1"] } },
  { HostConfig: { NetworkMode: "container:x", PortBindings: { "80/tcp": [{ HostPort: "1" }] } } },
  { HostConfig: { NetworkMode: "container:x" }, ExposedPorts: { "80/tcp": {} } },
  { HostConfig: { ExtraHosts: ["x"] } },
  { HostConfig: { ExtraHosts: ["x:nope"] } },
  { HostConfig: { PortBindings: { "80/tcp": [{ HostPort: "x" }] } } },
  { HostConfig: { Binds: ["/tmp:/m", "/etc:/m"] } },
  { HostConfig: { Binds: ["/tmp:/m"], Tmpfs: { "/m": "" } } },
  { HostConfig: { Binds: ["/tmp:/m:nocopy"] } },
  { HostConfig: { Binds: ["vol:/m:rshared"] } },
  { HostConfig: { Binds: ["/tmp:/m:default"] } },
  { HostConfig: { Tmpfs: { "/": "" } } },
  { HostConfig: { Tmpfs: { relative: "" } } },
  { HostConfig: { Mounts: [{ Target: "/x" }] } },
  { HostConfig: { Mounts: [{ Type: "bind", Source: "/tmp" }] } },
  { HostConfig: { Mounts: [{ Type: "bind", Source: "/nonexistent", Target: "/x" }] } },
  { HostConfig: { Mounts: [{ Type: "bind", Source: "/tmp", Target: "/x", BindOptions: { Propagation: "zz" } }] } },
  { HostConfig: { Mounts: [{ Type: "tmpfs", Source: "/tmp", Target: "/x" }] } },
  { HostConfig: { Mounts: [{ Type: "volume", ReadOnly: true, Target: "/x" }] } },
  { HostConfig: { AutoRemove: true, RestartPolicy: { Name: "always" } } },
  { HostConfig: { GroupAdd: ["nobody-here"] } },
  { HostConfig: { DeviceRequests: [{ Count: -1, Capabilities: [["gpu"]] }] } },
  { HostConfig: { Devices: [{ PathOnHost: "/dev/not-there", PathInContainer: "/dev/x", CgroupPermissions: "r" }] } },
  { HostConfig: { Devices: [{ PathOnHost: "/etc/passwd", PathInContainer: "/dev/x", CgroupPermissions: "r" }] } },
  { HostConfig: { BlkioDeviceReadBps: [{ Path: "/dev/not-there", Rate: 100 }] } },
  { Env: ["=x"] },
  { WorkingDir: "relative" },
  { User: "nobody-here" },
  { User: "0:nobody-here" },
  { User: "99999999999" },
]

describe.skipIf(!hasDockerd)("beside Docker's own daemon", () => {
  const engine = testEngine()
  const dockerd = new TestDockerd()
  // The newest API that Debian's Docker speaks.
  const daemons = (): readonly [Daemon, Daemon] => [
    { socket: dockerd.socket, version: "/v1.41" },
    { socket: engine.socket, version: "/v1.41" },
  ]

  beforeAll(async () => {
    await dockerd.start()
    const body = busyboxTar() as Uint8Array<ArrayBuffer>
    const url = "http://docker/images/create?fromSrc=-&repo=bb"
    const answer = await fetch(url, {
      unix: dockerd.socket,
      method: "POST",
      body,
      headers: { "content-type": "application/x-tar" },
    })
    expect(await answer.text()).toContain("sha256:")
  }, 60_000)
  afterAll(async () => {
    await dockerd.stop()
  }, 60_000)

  const both = (body: Body, script?: string) => {
    const given = { ...body, HostConfig: { NetworkMode: "none", ...body.HostConfig } }
    return Promise.all(daemons().map((daemon) => runContainer(daemon, given, script)))
  }

  test.each(SAME.map((row) => [...row] as const))("a %s container is the same", async (_what, body, script) => {
    const [theirs, ours] = await both(body, script)
    const plain = (text: string, id: string) => text.replaceAll(id.slice(0, 12), "ID")
    expect(ours!.error).toBe("")
    expect(plain(ours!.output, ours!.inspect.Id)).toBe(plain(theirs!.output, theirs!.inspect.Id))
    expect(ours!.warnings).toEqual(theirs!.warnings)
    const [wanted, shown] = [theirs!, ours!].map(({ inspect }) => flat(inspect, inspect.Id))
    // What is shown beyond that is this engine's own.
    expect(Object.fromEntries(Object.keys(wanted!).map((path) => [path, shown![path]]))).toEqual(wanted!)
  })

  test("what makes no sense is refused in the same words", async () => {
    for (const body of REFUSED) {
      const [theirs, ours] = await both({ Cmd: ["true"], ...body })
      // Docker's start may refuse what here the create does; hints of ours stand in parentheses behind.
      const said = ours!.error.startsWith(`${theirs!.error} (`) ? theirs!.error : ours!.error
      expect(`${JSON.stringify(body)}: ${said}`).toBe(`${JSON.stringify(body)}: ${theirs!.error}`)
    }
  }, 60_000)
})

function flat(value: unknown, id: string, path = "", found: Record<string, string> = {}): Record<string, string> {
  if (OWN.test(path)) return found
  if (value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).length > 0)
    for (const [name, inner] of Object.entries(value)) flat(inner, id, path === "" ? name : `${path}.${name}`, found)
  else found[path] = JSON.stringify(sorted(value)).replaceAll(id.slice(0, 12), "ID")
  return found
}

/** Objects in lists, whatever order their fields come in. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== "object") return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  )
}
