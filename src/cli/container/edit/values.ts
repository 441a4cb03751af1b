// Values as a person writes them, for the form of `edit`: each is read back by the parser of the flag of its name.
import type { ContainerInspect, Mount, MountPoint } from "../../../wire/container.ts"

const BYTES = [
  ["g", 1024 ** 3],
  ["m", 1024 ** 2],
  ["k", 1024],
] as const
const DURATIONS = [
  ["h", 3600e9],
  ["m", 60e9],
  ["s", 1e9],
  ["ms", 1e6],
  ["us", 1e3],
] as const

/** "512m"; exact. "" for 0. */
export function bytesText(bytes: number): string {
  if (bytes === 0) return ""
  return withUnit(bytes, BYTES) ?? String(bytes)
}

/** "1m30s" is "90s"; exact. "" for 0. */
export function durationText(nanoseconds: number): string {
  if (nanoseconds === 0) return ""
  return withUnit(nanoseconds, DURATIONS) ?? `${nanoseconds}ns`
}

function withUnit(value: number, units: readonly (readonly [string, number])[]): string | undefined {
  const unit = units.find(([, size]) => value > 0 && value % size === 0)
  return unit === undefined ? undefined : `${value / unit[1]}${unit[0]}`
}

export function mountLines({ Mounts, HostConfig }: ContainerInspect): string[] {
  const asked = new Map((HostConfig.Mounts ?? []).map((mount) => [mount.Target, mount]))
  const tmpfs = Object.entries(HostConfig.Tmpfs ?? {}).map(([target]) => `type=tmpfs,target=${quoted(target)}`)
  return [...Mounts.map((mount) => mountLine(mount, asked.get(mount.Destination))), ...tmpfs]
}

function mountLine(mount: MountPoint, asked: Mount | undefined): string {
  const { Type, Name, Source, Destination, RW, Propagation } = mount
  const source = Type === "volume" ? (Name ?? "") : Type === "image" ? (asked?.Source ?? Source) : Source
  const isPlain = (Type === "bind" || Type === "volume") && ![source, Destination].some((path) => /[:,"]/.test(path))
  const map = mount.Map === undefined ? [] : [`map=${mount.Map}`]
  const isBindOfOther = Propagation !== "" && Propagation !== "rprivate"
  if (isPlain) {
    const options = [...(RW ? [] : ["ro"]), ...(Type === "bind" && isBindOfOther ? [Propagation] : []), ...map]
    return [source, Destination, ...(options.length > 0 ? [options.join(",")] : [])].join(":")
  }
  const size = asked?.TmpfsOptions?.SizeBytes
  const parts = [
    `type=${Type}`,
    ...(source === "" ? [] : [`source=${source}`]),
    `target=${Destination}`,
    ...(size ? [`tmpfs-size=${size}`] : []),
    ...(RW || Type === "image" ? [] : ["readonly"]),
    ...map,
  ]
  return parts.map(quoted).join(",")
}

/** As a field of CSV. */
function quoted(text: string): string {
  return /[,"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}
