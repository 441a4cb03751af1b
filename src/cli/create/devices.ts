// --device, the block I/O limits, --gpus and --ulimit.
import { posix } from "node:path"
import { parseBytes } from "../../lib/size.ts"
import type { DeviceMapping, DeviceRequest, ThrottleDevice, Ulimit, WeightDevice } from "../../wire/container.ts"
import { cut, parseCsvRecord } from "../flags/csv.ts"

/** "vendor.com/class=name": a device of the Container Device Interface. */
const CDI_NAME = /^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]\/[A-Za-z][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_.:-]*$/

export type Devices = { readonly mappings: DeviceMapping[]; readonly requests: DeviceRequest[] }

export function parseDevices(specs: readonly string[]): Devices {
  const named = specs.filter((spec) => CDI_NAME.test(spec))
  return {
    mappings: specs.filter((spec) => !CDI_NAME.test(spec)).map(parseDevice),
    requests: named.length === 0 ? [] : [{ Driver: "cdi", DeviceIDs: named }],
  }
}

function isMode(text: string): boolean {
  return /^[rwm]{1,3}$/.test(text) && new Set(text).size === text.length
}

function parseDevice(text: string): DeviceMapping {
  const parts = text.split(":")
  const [source = "", second, third] = parts
  if (parts.length > 3 || source === "") throw new Error(`bad format for path: ${text}`)
  if (third !== undefined && !isMode(third)) throw new Error(`bad mode specified: ${third}`)
  const onlyMode = third === undefined && second !== undefined && isMode(second)
  const target = second === undefined || onlyMode ? source : second
  if (!target.startsWith("/")) throw new Error(`${target} is not an absolute path`)
  const cleanTarget = third === undefined ? posix.normalize(target) : target
  return {
    PathOnHost: second === undefined || onlyMode ? posix.normalize(source) : source,
    PathInContainer: cleanTarget,
    CgroupPermissions: third ?? (onlyMode ? second : "rwm"),
  }
}

export function checkCgroupRule(text: string): string {
  if (!/^[acb] ([0-9]+|\*):([0-9]+|\*) [rwm]{1,3}$/.test(text))
    throw new Error(`invalid device cgroup format '${text}'`)
  return text
}

function devicePath(text: string): [string, string] {
  const [path, value] = cut(text, ":")
  if (value === undefined || path === "") throw new Error(`bad format: ${text}`)
  if (!path.startsWith("/dev/")) throw new Error(`bad format for device path: ${text}`)
  return [path, value]
}

export function parseThrottleBytes(text: string): ThrottleDevice {
  const [Path, rate] = devicePath(text)
  try {
    return { Path, Rate: parseBytes(rate) }
  } catch {
    throw new Error(`invalid rate for device: ${text}: give <device-path>:<number>[<unit>], unit kb, mb or gb`)
  }
}

export function parseThrottleOperations(text: string): ThrottleDevice {
  const [Path, rate] = devicePath(text)
  if (!/^\d+$/.test(rate)) throw new Error(`invalid rate for device: ${text}: give <device-path>:<number>`)
  return { Path, Rate: Number(rate) }
}

export function parseWeightDevice(text: string): WeightDevice {
  const [Path, weight] = devicePath(text)
  const Weight = /^\d{1,5}$/.test(weight) ? Number(weight) : -1
  if (Weight < 0 || (Weight > 0 && (Weight < 10 || Weight > 1000)))
    throw new Error(`invalid weight for device: ${text}`)
  return { Path, Weight }
}

/** dhow's own: "2MB=1g". */
export function parseHugetlb(text: string): { PageSize: string; Limit: number } {
  const [size, limit] = cut(text, "=")
  if (!/^\d+[KMG]B$/.test(size) || limit === undefined || limit === "")
    throw new Error(`invalid limit of huge pages: ${text}: give <size>=<bytes>, as 2MB=1g`)
  return { PageSize: size, Limit: parseBytes(limit) }
}

const ULIMITS = new Set(
  "core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack".split(" "),
)

export function parseUlimit(text: string): Ulimit {
  const [name, limits] = cut(text, "=")
  if (limits === undefined) throw new Error(`invalid ulimit argument: ${text}`)
  if (!ULIMITS.has(name)) throw new Error(`invalid ulimit type: ${name}`)
  const parts = limits.split(":")
  if (parts.length > 2)
    throw new Error(`too many limit value arguments - ${limits}, can only have up to two, \`soft[:hard]\``)
  const [Soft, Hard] = [parts[0]!, parts[1] ?? parts[0]!].map(limitNumber) as [number, number]
  if (Hard !== -1 && (Soft === -1 || Soft > Hard))
    throw new Error(`ulimit soft limit must be less than or equal to hard limit: ${Soft} > ${Hard}`)
  return { Name: name, Soft, Hard }
}

function limitNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) throw new Error(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  return Number(text)
}

/** The last of a name wins; sorted by name. */
export function parseUlimits(specs: readonly string[]): Ulimit[] {
  const byName = new Map(specs.map(parseUlimit).map((limit) => [limit.Name, limit]))
  return [...byName.values()].sort((a, b) => (a.Name < b.Name ? -1 : 1))
}

export function parseGpus(text: string): DeviceRequest {
  const request: DeviceRequest = {}
  const seen = new Set<string>()
  for (const field of parseCsvRecord(text)) {
    const [key, value] = cut(field, "=")
    const name = value === undefined ? "count" : key
    if (seen.has(name)) throw new Error(`gpu request key '${name}' can be specified only once`)
    seen.add(name)
    if (name === "count") request.Count = gpuCount(value ?? key)
    else if (name === "driver") request.Driver = value!
    else if (name === "device") request.DeviceIDs = value!.split(",")
    else if (name === "capabilities") request.Capabilities = [[...value!.split(","), "gpu"]]
    else if (name === "options")
      request.Options = Object.fromEntries(
        parseCsvRecord(value!).map((pair) => [cut(pair, "=")[0], cut(pair, "=")[1] ?? ""]),
      )
    else throw new Error(`unexpected key '${key}' in '${field}'`)
  }
  if (!seen.has("count") && request.DeviceIDs === undefined) request.Count = 1
  request.Capabilities ??= [["gpu"]]
  request.Options ??= {}
  return request
}

function gpuCount(text: string): number {
  if (text === "all") return -1
  if (!/^-?\d+$/.test(text)) throw new Error(`invalid count (${text}): value must be either "all" or an integer`)
  return Number(text)
}
