// Changes of a container in lines for a person: what, from what to what, and when it takes effect.
import type { Healthcheck } from "../../../oci/image-config.ts"
import type { MountPoint, PortMap, RestartPolicy } from "../../../wire/container.ts"
import type { UpdateChange, UpdateEffect } from "../../../wire/update.ts"
import { binarySize } from "../../render/human.ts"

export const EFFECTS: Readonly<Record<UpdateEffect, string>> = {
  live: "live",
  start: "when it starts",
  restart: "on restart",
  recreate: "needs re-creation",
}

const BYTES: ReadonlySet<string> = new Set(["Memory", "MemorySwap", "MemoryReservation", "ShmSize"])

export function describeChanges(changes: readonly UpdateChange[]): string[] {
  const rows = changes.flatMap((change) =>
    differences(change).map((text) => [EFFECTS[change.Effect], change.Field, text] as const),
  )
  const width = (column: 0 | 1): number => Math.max(0, ...rows.map((row) => row[column].length))
  const [first, second] = [width(0), width(1)]
  return rows.map(([effect, name, text]) => `${effect.padEnd(first)}  ${name.padEnd(second)}  ${text}`)
}

function differences({ Field, Was, Now }: UpdateChange): string[] {
  if (Field === "PortBindings") return lists(portLines(Was as PortMap | null), portLines(Now as PortMap | null))
  if (Field === "Mounts") return lists(mountLines(Was), mountLines(Now))
  if (Field === "RestartPolicy") return [`${policy(Was)} -> ${policy(Now)}`]
  if (Field === "Healthcheck") return lists(healthLines(Was), healthLines(Now))
  if (isStrings(Was) && isStrings(Now) && Field !== "Cmd" && Field !== "Entrypoint") return lists(Was ?? [], Now ?? [])
  if (isMap(Was) && isMap(Now)) return lists(pairs(Was), pairs(Now))
  if (BYTES.has(Field)) return [`${bytes(Was)} -> ${bytes(Now)}`]
  if (Field === "NanoCpus") return [`${cpus(Was)} -> ${cpus(Now)}`]
  return [`${plain(Was)} -> ${plain(Now)}`]
}

function lists(was: readonly string[], now: readonly string[]): string[] {
  const gone = was.filter((line) => !now.includes(line)).map((line) => `- ${line}`)
  const added = now.filter((line) => !was.includes(line)).map((line) => `+ ${line}`)
  return gone.length + added.length === 0 ? ["in another order"] : [...gone, ...added]
}

export function portLines(map: PortMap | null): string[] {
  return Object.entries(map ?? {}).flatMap(([port, bindings]) =>
    (bindings ?? []).map(({ HostIp, HostPort }) => {
      const address = HostIp?.includes(":") ? `[${HostIp}]` : HostIp
      return [...(address ? [address] : []), ...(address || HostPort ? [HostPort ?? ""] : []), port].join(":")
    }),
  )
}

function mountLines(value: unknown): string[] {
  return (Array.isArray(value) ? (value as MountPoint[]) : []).map((mount) => {
    const source = mount.Type === "volume" ? (mount.Name ?? mount.Source) : mount.Source
    return `${mount.Type} ${source ? `${source} ` : ""}at ${mount.Destination}${mount.RW === false ? ", read-only" : ""}`
  })
}

function policy(value: unknown): string {
  const { Name = "", MaximumRetryCount: times = 0 } = (value ?? {}) as RestartPolicy
  return `${Name || "no"}${times > 0 ? `:${times}` : ""}`
}

function healthLines(value: unknown): string[] {
  const { Test = [], Retries = 0, ...times } = (value ?? {}) as Healthcheck
  const [kind, ...words] = Test
  const command = kind === "CMD-SHELL" ? words.join(" ") : JSON.stringify(words)
  return [
    ...(kind === undefined ? [] : [kind === "NONE" ? "no check" : `command ${command}`]),
    ...(Retries > 0 ? [`retries ${Retries}`] : []),
    ...Object.entries(times).flatMap(([name, time]) => (time ? [`${name} ${Number(time) / 1e9}s`] : [])),
  ]
}

function isStrings(value: unknown): value is string[] | null {
  return value === null || (Array.isArray(value) && value.every((item) => typeof item === "string"))
}

function isMap(value: unknown): value is Record<string, unknown> | null {
  return value === null || (typeof value === "object" && !Array.isArray(value))
}

function pairs(map: Record<string, unknown> | null): string[] {
  return Object.entries(map ?? {}).map(([name, value]) => `${name}=${typeof value === "string" ? value : plain(value)}`)
}

function bytes(value: unknown): string {
  if (value === -1) return "unlimited"
  return typeof value === "number" && value > 0 ? binarySize(value) : "none"
}

function cpus(value: unknown): string {
  return typeof value === "number" && value > 0 ? String(value / 1e9) : "none"
}

function plain(value: unknown): string {
  return value === null || value === "" ? "none" : typeof value === "string" ? value : JSON.stringify(value)
}
