// Every field of an update, as Docker's reference has them: what is taken is shown by inspect, and what is not is refused
// or warned of.
import { beforeAll, expect, test } from "bun:test"
import { existsSync, readdirSync } from "node:fs"
import { REFERENCE } from "../../tools/surface/reference.ts"
import { testEngine } from "../support/fixture.ts"

type Body = { readonly [field: string]: unknown }

const engine = testEngine()
/** A disk of the host, for the kernel takes no other device. */
const disk = existsSync("/sys/block")
  ? readdirSync("/sys/block")
      .map((name) => `/dev/${name}`)
      .find((path) => existsSync(path))
  : undefined
const throttle = [{ Path: disk ?? "/dev/zero", Rate: 1024 * 1024 }]

beforeAll(async () => {
  await engine.must("POST", "/containers/create?name=box", {
    Image: "bb",
    Cmd: ["sleep", "600"],
    HostConfig: { Memory: 64 << 20, MemorySwap: 128 << 20 },
  })
  await engine.must("POST", "/containers/box/start")
})

const TRIED: readonly Body[] = [
  { CpuShares: 256 },
  { CpuPeriod: 50_000, CpuQuota: 20_000 },
  { CpusetCpus: "0" },
  { CpusetMems: "0" },
  { Memory: 32 << 20, MemoryReservation: 16 << 20, MemorySwap: 96 << 20 },
  { NanoCpus: 100 },
  { PidsLimit: 40 },
  { RestartPolicy: { Name: "on-failure", MaximumRetryCount: 3 } },
  { BlkioWeight: 300 },
  { BlkioWeightDevice: [{ Path: "/dev/zero", Weight: 300 }] },
  { BlkioDeviceReadBps: throttle },
  { BlkioDeviceWriteBps: throttle },
  { BlkioDeviceReadIOps: throttle },
  { BlkioDeviceWriteIOps: throttle },
  { CgroupParent: "/elsewhere" },
  { CpuCount: 1 },
  { CpuPercent: 5 },
  { CpuRealtimePeriod: 1000, CpuRealtimeRuntime: 500 },
  { DeviceCgroupRules: ["c 1:3 rwm"] },
  { DeviceRequests: [{ Driver: "x", Count: 1, DeviceIDs: ["a"], Capabilities: [["gpu"]], Options: { a: "b" } }] },
  { Devices: [{ PathOnHost: "/dev/null", PathInContainer: "/dev/nothing", CgroupPermissions: "rw" }] },
  { IOMaximumBandwidth: 5 },
  { IOMaximumIOps: 5 },
  { Init: true },
  { KernelMemoryTCP: 5 },
  { MemorySwappiness: 50 },
  { OomKillDisable: true },
  { Ulimits: [{ Name: "nofile", Soft: 5, Hard: 6 }] },
]

test.each(TRIED.map((body) => [Object.keys(body).join(", "), body] as const))(
  "%s: taken and shown, or refused or warned of",
  async (_name, body) => {
    const { status, json, text } = await engine.call("POST", "/containers/box/update", body)
    // What the kernel itself refuses is told with the name of the file, as Docker tells it.
    const isKernels = /Cannot update container .*(cpu\.rt_|blkio\.|io\.)/.test(text)
    if (status !== 200 && !isKernels) return expect(`${status} ${text}`).toMatch(/^(400|409|501) \{"message":"..+/)
    if (status !== 200) return
    const { HostConfig } = await engine.must<{ HostConfig: Body }>("GET", "/containers/box/json")
    if (((json as { Warnings: string[] | null }).Warnings ?? []).length === 0) expect(HostConfig).toMatchObject(body)
  },
)

function pathsIn(value: unknown, prefix = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item) => pathsIn(item, `${prefix}[]`))
  if (value === null || typeof value !== "object") return []
  return Object.entries(value).flatMap(([name, inner]) => {
    const path = prefix === "" ? name : `${prefix}.${name}`
    return [path, ...pathsIn(inner, path)]
  })
}

test("no field of the reference is left out here", () => {
  const tried = new Set(TRIED.flatMap((body) => pathsIn(body)))
  const wanted = REFERENCE.entries.flatMap(({ name, last = "1.51" }) => {
    const field = /^POST \/containers\/\{id\}\/update ([A-Z]\S*)$/.exec(name)?.[1]
    return field === undefined || last !== "1.51" ? [] : [field]
  })
  expect(wanted.length).toBeGreaterThan(50)
  expect(wanted.filter((field) => !tried.has(field))).toEqual([])
})
