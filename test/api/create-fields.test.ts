// Every field of a create request, as Docker's reference has them: what is taken is shown by inspect, and what is not is
// refused or warned of. Nothing is ignored in silence.
import { beforeAll, expect, test } from "bun:test"
import { mkdirSync } from "node:fs"
import { join } from "node:path"
import { REFERENCE } from "../../tools/surface/reference.ts"
import type { Answer } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"

type Body = { readonly [field: string]: unknown }

const engine = testEngine()
const source = join(engine.root, "source")
const throttle = [{ Path: "/dev/zero", Rate: 1024 * 1024 }]
const seen: unknown[] = []

beforeAll(async () => {
  mkdirSync(source)
  await engine.must("POST", "/volumes/create", { Name: "vol" })
  await engine.must("POST", "/containers/create?name=donor", {
    Image: "bb",
    Cmd: ["true"],
    Volumes: { "/donated": {} },
  })
})

async function create(body: Body): Promise<Answer> {
  seen.push(body)
  return await engine.call("POST", "/containers/create?name=field", { Image: "bb", Cmd: ["true"], ...body })
}

const SHOWN: readonly (readonly [what: string, body: Body, shown?: object])[] = [
  [
    "who and where the process is",
    {
      Hostname: "box",
      Domainname: "example.test",
      User: "5:6",
      WorkingDir: "/tmp",
      Env: ["A=b"],
      Cmd: ["echo", "x"],
      Entrypoint: ["sh", "-c"],
      Shell: ["/bin/sh", "-c"],
      Labels: { a: "b" },
      Image: "bb",
      OnBuild: ["RUN true"],
      ArgsEscaped: true,
      StopSignal: "INT",
      StopTimeout: 3,
    },
  ],
  [
    "streams",
    { AttachStdin: true, AttachStdout: true, AttachStderr: false, OpenStdin: true, StdinOnce: true, Tty: true },
  ],
  ["volumes and ports of the image's kind", { Volumes: { "/v": {} }, ExposedPorts: { "80/tcp": {}, "53/udp": {} } }],
  [
    "a health check",
    {
      Healthcheck: {
        Test: ["CMD", "true"],
        Interval: 2e9,
        Timeout: 3e9,
        StartPeriod: 4e9,
        StartInterval: 5e9,
        Retries: 6,
      },
    },
  ],
  [
    "limits",
    {
      HostConfig: {
        CpuShares: 512,
        CpuPeriod: 50_000,
        CpuQuota: 25_000,
        CpusetCpus: "0",
        CpusetMems: "0",
        Memory: 64 << 20,
        MemoryReservation: 32 << 20,
        MemorySwap: 128 << 20,
        OomScoreAdj: 500,
        PidsLimit: 50,
        ShmSize: 1 << 20,
        Ulimits: [{ Name: "nofile", Soft: 100, Hard: 200 }],
      },
    },
  ],
  ["CPUs by number", { HostConfig: { NanoCpus: 500_000_000 } }],
  [
    "block devices",
    {
      HostConfig: {
        BlkioDeviceReadBps: throttle,
        BlkioDeviceWriteBps: throttle,
        BlkioDeviceReadIOps: throttle,
        BlkioDeviceWriteIOps: throttle,
      },
    },
  ],
  [
    "devices",
    {
      HostConfig: {
        Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/nothing", CgroupPermissions: "rw" }],
        DeviceCgroupRules: ["c 1:3 rwm"],
      },
    },
  ],
  [
    "security",
    {
      HostConfig: {
        CapAdd: ["NET_ADMIN"],
        CapDrop: ["MKNOD"],
        GroupAdd: ["7"],
        SecurityOpt: ["no-new-privileges"],
        ReadonlyRootfs: true,
        MaskedPaths: ["/proc/keys"],
        ReadonlyPaths: ["/proc/bus"],
        Sysctls: { "net.ipv4.ip_forward": "1" },
        Init: true,
        Runtime: "crun",
        Annotations: { "a.b": "c" },
      },
    },
  ],
  ["privilege", { HostConfig: { Privileged: true } }],
  [
    "namespaces of the host",
    { HostConfig: { PidMode: "host", IpcMode: "host", UTSMode: "host", CgroupnsMode: "host", UsernsMode: "host" } },
  ],
  [
    "names and addresses",
    {
      HostConfig: {
        NetworkMode: "bridge",
        Dns: ["9.9.9.9"],
        DnsOptions: ["ndots:2"],
        DnsSearch: ["q.test"],
        ExtraHosts: ["other:1.2.3.4"],
        PortBindings: { "80/tcp": [{ HostIp: "127.0.0.1", HostPort: "8123" }] },
        PublishAllPorts: true,
      },
    },
  ],
  [
    "the life of the container",
    {
      HostConfig: {
        RestartPolicy: { Name: "on-failure", MaximumRetryCount: 2 },
        ContainerIDFile: "/x/cid",
        ConsoleSize: [24, 80],
      },
    },
  ],
  ["removal when it ends", { HostConfig: { AutoRemove: true } }],
  ["its log", { HostConfig: { LogConfig: { Type: "local", Config: { "max-size": "1m", "max-file": "2" } } } }],
  [
    "mounts in short",
    { HostConfig: { Binds: [`${source}:/bound:ro`], VolumesFrom: ["donor"], Tmpfs: { "/t": "size=1m" } } },
  ],
  ["a driver of volumes", { HostConfig: { VolumeDriver: "local" } }],
  [
    "mounts in long",
    {
      HostConfig: {
        Mounts: [
          {
            Type: "bind",
            Source: source,
            Target: "/bind",
            ReadOnly: true,
            Consistency: "cached",
            BindOptions: {
              Propagation: "rprivate",
              NonRecursive: true,
              CreateMountpoint: true,
              ReadOnlyNonRecursive: true,
            },
          },
          {
            Type: "bind",
            Source: source,
            Target: "/forced",
            ReadOnly: true,
            BindOptions: { Propagation: "rprivate", ReadOnlyForceRecursive: true },
          },
          {
            Type: "volume",
            Source: "named",
            Target: "/volume",
            VolumeOptions: { NoCopy: true, Labels: { a: "b" }, DriverConfig: { Name: "local", Options: {} } },
          },
          { Type: "volume", Source: "vol", Target: "/part", VolumeOptions: { Subpath: "sub" } },
          { Type: "tmpfs", Target: "/tmpfs", TmpfsOptions: { SizeBytes: 1 << 20, Mode: 0o700, Options: [["noexec"]] } },
          { Type: "image", Source: "bb", Target: "/image", ImageOptions: { Subpath: "etc" } },
        ],
      },
    },
  ],
  [
    "an endpoint",
    {
      NetworkingConfig: {
        EndpointsConfig: { bridge: { DriverOpts: { a: "b" }, GwPriority: 5 } },
      },
    },
    {
      NetworkSettings: {
        Networks: { bridge: { DriverOpts: { a: "b" }, GwPriority: 5 } },
      },
    },
  ],
]

// A function with a parameter that the row does not fill would be taken for one with a callback.
test.each(SHOWN.map(([what, body, shown = {}]) => [what, body, shown] as const))(
  "%s: what is taken is shown by inspect",
  async (_what, body, shown) => {
    const { status, json, text } = await create(body)
    expect(`${status} ${text}`).toStartWith("201")
    expect(json).toMatchObject({ Warnings: [] })
    const inspected = await engine.must<Record<string, unknown>>("GET", "/containers/field/json")
    await engine.must("DELETE", "/containers/field?v=1")
    const { HostConfig = {}, NetworkingConfig: _asShown, ...Config } = body
    expect(inspected).toMatchObject({ Config, HostConfig, ...shown } as Record<string, unknown>)
  },
)

const ofHost = (HostConfig: Body): Body => ({ HostConfig })
const ofEndpoint = (endpoint: Body): Body => ({ NetworkingConfig: { EndpointsConfig: { bridge: endpoint } } })
const GPU = { Driver: "x", Count: 1, DeviceIDs: ["a"], Capabilities: [["gpu"]], Options: { a: "b" } }

/** Taken, or refused or warned of where the host cannot. */
const HOSTS: readonly Body[] = [
  ofHost({ BlkioWeight: 500 }),
  ofHost({ BlkioWeightDevice: [{ Path: "/dev/zero", Weight: 500 }] }),
  ofHost({ CgroupParent: `${engine.cgroupParent}/deeper` }),
  ofHost({ CpuRealtimePeriod: 1000 }),
  ofHost({ CpuRealtimeRuntime: 500 }),
  ofHost({ DeviceRequests: [GPU] }),
  ofHost({ MemorySwappiness: 50 }),
  ofHost({ OomKillDisable: true, Memory: 64 << 20 }),
  { NetworkDisabled: true },
]

test("what a host may lack is shown by inspect, or else refused or warned of", async () => {
  for (const body of HOSTS) {
    const { status, json, text } = await create(body)
    if (status !== 201) {
      expect(`${status} ${text}`).toMatch(/^(400|501) \{"message":"..+/)
      continue
    }
    const inspected = await engine.must<Body>("GET", "/containers/field/json")
    await engine.must("DELETE", "/containers/field?v=1")
    const { HostConfig = {}, ...Config } = body
    if ((json as { Warnings: string[] }).Warnings.length === 0) expect(inspected).toMatchObject({ Config, HostConfig })
  }
})

test("what of an endpoint only the engine knows is not taken from a request", async () => {
  const known = {
    EndpointID: "x",
    NetworkID: "x",
    DNSNames: ["x"],
    MacAddress: "",
    Gateway: "1.1.1.1",
    IPv6Gateway: "fd00::1",
  }
  const addresses = { IPAddress: "1.1.1.1", IPPrefixLen: 5, GlobalIPv6Address: "fd00::1", GlobalIPv6PrefixLen: 5 }
  expect((await create(ofEndpoint({ ...known, ...addresses }))).status).toBe(201)
  const { NetworkSettings } = await engine.must<{ NetworkSettings: unknown }>("GET", "/containers/field/json")
  await engine.must("DELETE", "/containers/field?v=1")
  const nothing = { EndpointID: "", NetworkID: "", DNSNames: null, Gateway: "", IPv6Gateway: "", IPAddress: "" }
  expect(NetworkSettings).toMatchObject({ Networks: { bridge: nothing } })
})

/** Refused with this text; or, where it begins with "WARNING ", taken with this warning. */
const REFUSED: readonly (readonly [body: Body, text: RegExp])[] = [
  [ofHost({ Cgroup: "container:donor" }), /: 400 .*invalid cgroup mode: container:donor/],
  [ofHost({ CpuCount: 1 }), /: WARNING linux does not support CPU count. Count discarded./],
  [ofHost({ CpuPercent: 50 }), /: WARNING linux does not support CPU percent. Percent discarded./],
  [ofHost({ IOMaximumBandwidth: 5 }), /: 400 .*QoS maximum bandwidth configuration is not supported on linux/],
  [ofHost({ IOMaximumIOps: 5 }), /: 400 .*QoS maximum IOPs configuration is not supported on linux/],
  [ofHost({ Isolation: "hyperv" }), /: 400 .*invalid isolation \(hyperv\): linux only supports 'default'/],
  [ofHost({ KernelMemoryTCP: 5 }), /: WARNING Your kernel does not support kernel memory TCP limit/],
  [ofHost({ Links: ["nobody:d"] }), /: 400 .*could not get container for nobody: No such container: nobody/],
  [ofHost({ StorageOpt: { size: "1G" } }), /: 400 .*--storage-opt is supported only for overlay over xfs/],
  [{ MacAddress: "02:42:ac:11:00:99" }, /: WARNING The container-wide MacAddress field is now deprecated/],
  [
    ofEndpoint({ Aliases: ["a"] }),
    /: 400 .*network-scoped alias is supported only for containers in user defined networks/,
  ],
  [
    ofEndpoint({ IPAMConfig: { IPv4Address: "172.17.0.9" } }),
    /: 400 .*IP address is supported on user defined networks only/,
  ],
  [
    ofEndpoint({ IPAMConfig: { IPv6Address: "fd00::9" } }),
    /: 400 .*IP address is supported on user defined networks only/,
  ],
  [ofEndpoint({ IPAMConfig: { LinkLocalIPs: ["here"] } }), /: 400 .*invalid link-local IP address: here/],
  [ofEndpoint({ Links: ["donor:d"] }), /: 501 .*links: not available/],
]

test("what has no effect is refused or warned of", async () => {
  for (const [body, text] of REFUSED) {
    const answer = await create(body)
    const { Warnings = [] } = answer.json as { Warnings?: string[] }
    if (answer.status === 201) await engine.must("DELETE", "/containers/field?v=1")
    const said = answer.status === 201 ? `WARNING ${Warnings.join(" ")}` : `${answer.status} ${answer.text}`
    expect(`${JSON.stringify(body)}: ${said}`).toMatch(text)
  }
})

/** Paths of everything in a body, as the reference writes them. */
function pathsIn(value: unknown, prefix = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, `${prefix}[]`))
  if (value === null || typeof value !== "object") return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`
    return [path, ...pathsIn(inner, path), ...pathsIn(inner, `${prefix}{}`)]
  })
}

test("no field of the reference is left out here", () => {
  const tried = new Set(seen.flatMap((body) => pathsIn(body)))
  const wanted = REFERENCE.entries.flatMap(({ name, last = "1.51" }) => {
    const field = /^POST \/containers\/create ([A-Z]\S*)$/.exec(name)?.[1]
    return field === undefined || last !== "1.51" ? [] : [field]
  })
  expect(wanted.length).toBeGreaterThan(150)
  expect(wanted.filter((field) => !tried.has(field))).toEqual([])
})
