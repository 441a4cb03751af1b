// One setting that `edit` shows, and how those are made that differ only in their name.

import { parseDuration } from "../../../lib/duration.ts"
import type { ContainerInspect } from "../../../wire/container.ts"
import type { ContainerUpdateRequest } from "../../../wire/update.ts"
import { durationText } from "./values.ts"

export type Value = string | number | boolean | readonly string[] | Readonly<Record<string, string>>
export type Kind = "text" | "number" | "flag" | "list" | "map"

export type Field = {
  readonly kind: Kind
  readonly section: "live" | "restart" | "recreate"
  readonly note?: string
  read(container: ContainerInspect): Value
  /** Only called where the value differs. */
  write(request: ContainerUpdateRequest, now: Value, was: Value): void
}

type Written<T extends Value> = (request: ContainerUpdateRequest, now: T, was: T) => void

export function field<T extends Value>(
  kind: Kind,
  section: Field["section"],
  read: (container: ContainerInspect) => T,
  write: Written<T>,
  note?: string,
): Field {
  return { kind, section, read, write: write as Written<Value>, ...(note === undefined ? {} : { note }) }
}

/** A limit: nothing and 0 take it away. */
export function limit(
  name: "Memory" | "MemoryReservation" | "MemorySwap" | "NanoCpus" | "CpusetCpus" | "CpusetMems",
  show: (value: number | string) => string,
  parse: (text: string) => number | string,
  note?: string,
): Field {
  return field<string>(
    "text",
    "live",
    ({ HostConfig }) => show(HostConfig[name] ?? 0),
    (request, now) => {
      const value = now === "" ? 0 : parse(now)
      if (value === 0 || value === "") request.Reset = [...(request.Reset ?? []), name]
      else (request as Record<string, unknown>)[name] = value
    },
    note,
  )
}

export function count(name: "CpuShares" | "CpuPeriod" | "CpuQuota" | "BlkioWeight"): Field {
  return field<number>(
    "number",
    "live",
    ({ HostConfig }) => HostConfig[name] ?? 0,
    (request, now) => {
      if (now === 0) request.Reset = [...(request.Reset ?? []), name]
      else request[name] = now
    },
  )
}

type Duration = "Interval" | "Timeout" | "StartPeriod" | "StartInterval"

export function healthTime(name: Duration): Field {
  return field<string>(
    "text",
    "live",
    ({ Config }) => durationText(Config.Healthcheck?.[name] ?? 0),
    (request, now) => {
      request.Healthcheck = { ...request.Healthcheck, [name]: now === "" ? 0 : parseDuration(now) }
    },
  )
}

type HostList = "CapAdd" | "CapDrop" | "GroupAdd" | "Dns" | "DnsSearch" | "DnsOptions" | "ExtraHosts" | "SecurityOpt"

export function hostList(name: HostList): Field {
  return field<readonly string[]>(
    "list",
    "restart",
    ({ HostConfig }) => HostConfig[name] ?? [],
    (request, now) => {
      request[name] = [...now]
    },
  )
}

type HostMap = "Sysctls" | "Annotations"

export function hostMap(name: HostMap): Field {
  return field<Readonly<Record<string, string>>>(
    "map",
    "restart",
    ({ HostConfig }) => HostConfig[name] ?? {},
    (request, now) => {
      request[name] = { ...now }
    },
  )
}

type ConfigText = "User" | "WorkingDir" | "Hostname" | "Domainname"

export function configText(name: ConfigText): Field {
  return field<string>(
    "text",
    "restart",
    ({ Config }) => Config[name] ?? "",
    (request, now) => {
      request[name] = now
    },
  )
}

export function hostText(name: "NetworkMode" | "IpcMode" | "PidMode" | "Runtime"): Field {
  return field<string>(
    "text",
    "restart",
    ({ HostConfig }) => HostConfig[name] ?? "",
    (request, now) => {
      request[name] = now
    },
  )
}

export function hostFlag(name: "ReadonlyRootfs" | "Privileged" | "Init"): Field {
  return field<boolean>(
    "flag",
    "restart",
    ({ HostConfig }) => HostConfig[name] === true,
    (request, now) => {
      request[name] = now
    },
  )
}

export const words = (name: "Cmd" | "Entrypoint"): Field =>
  field<readonly string[]>(
    "list",
    "restart",
    ({ Config }) => Config[name] ?? [],
    (request, now) => {
      request[name] = [...now]
    },
  )
