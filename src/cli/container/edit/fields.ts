// The settings that `edit` shows: how each is read from what inspect says, and what of an update a changed one makes. The
// names are those of the flags of `run`, and so are the values.

import { parseBytes, parseCpus, parseMemorySwap } from "../../../lib/size.ts"
import type { ContainerInspect, HostConfig, Mount } from "../../../wire/container.ts"
import type { ContainerUpdateRequest } from "../../../wire/update.ts"
import { parseUlimit } from "../../create/devices.ts"
import { netRateText, parseNetRate } from "../../create/net-rate.ts"
import { parseRestartPolicy } from "../../create/policies.ts"
import { parsePublished } from "../../create/ports.ts"
import { parseHealthAction, parseTimeLimit } from "../../create/supervision.ts"
import { portLines } from "../update/describe.ts"
import { parseMountSpec, parseUnpublished } from "../update/specs.ts"
import {
  configText,
  count,
  type Field,
  field,
  healthTime,
  hostFlag,
  hostList,
  hostMap,
  hostText,
  limit,
  words,
} from "./field.ts"
import { bytesText, durationText, mountLines } from "./values.ts"

const DEFAULT_STOP_TIMEOUT = 10

function restartText({ RestartPolicy: policy }: HostConfig): string {
  const times = policy?.MaximumRetryCount ?? 0
  return `${policy?.Name || "no"}${times > 0 ? `:${times}` : ""}`
}

function environment({ Config }: ContainerInspect): Record<string, string> {
  return Object.fromEntries(
    (Config.Env ?? []).map((entry) => {
      const at = entry.indexOf("=")
      return at < 0 ? [entry, ""] : [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
}

function healthCommand({ Config }: ContainerInspect): string {
  const [kind, ...rest] = Config.Healthcheck?.Test ?? []
  if (kind === "CMD-SHELL") return rest.join(" ")
  return kind === "CMD" ? JSON.stringify(rest) : ""
}

function writeHealth(request: ContainerUpdateRequest, now: string): void {
  if (now === "") request.Healthcheck = { Test: ["NONE"] }
  else request.Healthcheck = { ...request.Healthcheck, Test: healthTest(now) }
}

function healthTest(text: string): string[] {
  if (!text.startsWith("[")) return ["CMD-SHELL", text]
  const parsed: unknown = JSON.parse(text)
  if (!Array.isArray(parsed) || !parsed.every((word) => typeof word === "string"))
    throw new Error(`expected a command, or its words as ["WORD", ...]`)
  return ["CMD", ...(parsed as string[])]
}

function writePorts(request: ContainerUpdateRequest, now: readonly string[], was: readonly string[]): void {
  const added = now.filter((line) => !was.includes(line))
  // A line without a port of the host stands for one binding here, not for all of them.
  const gone = was.filter((line) => !now.includes(line)).map((line) => (line.includes(":") ? line : `:${line}`))
  if (added.length > 0) request.PublishAdd = parsePublished(added).bindings
  if (gone.length > 0) request.PublishRm = parseUnpublished(gone)
}

function writeMounts(request: ContainerUpdateRequest, now: readonly string[], was: readonly string[]): void {
  const added: Mount[] = now.filter((line) => !was.includes(line)).map(parseMountSpec)
  const gone = was.filter((line) => !now.includes(line)).map((line) => parseMountSpec(line).Target)
  if (added.length > 0) request.MountAdd = added
  if (gone.length > 0) request.MountRm = gone
}

export const FIELDS: Readonly<Record<string, Field>> = {
  restart: field<string>(
    "text",
    "live",
    ({ HostConfig }) => restartText(HostConfig),
    (request, now) => {
      request.RestartPolicy = parseRestartPolicy(now || "no")
    },
    "no, on-failure[:TIMES], unless-stopped, always",
  ),
  publish: field<readonly string[]>(
    "list",
    "live",
    ({ HostConfig }) => portLines(HostConfig.PortBindings ?? null),
    writePorts,
    "[ADDRESS:][HOST-PORT:]PORT[/PROTOCOL]",
  ),
  mounts: field<readonly string[]>(
    "list",
    "live",
    mountLines,
    writeMounts,
    "SOURCE:TARGET[:ro], or type=tmpfs,target=PATH",
  ),
  labels: field<Readonly<Record<string, string>>>(
    "map",
    "live",
    ({ Config }) => Config.Labels ?? {},
    (request, now, was) => {
      const gone = Object.keys(was).filter((name) => !Object.hasOwn(now, name))
      if (gone.length > 0) request.LabelRm = gone
      request.LabelAdd = Object.fromEntries(Object.entries(now).filter(([name, value]) => was[name] !== value))
    },
  ),
  memory: limit("Memory", (value) => bytesText(Number(value)), parseBytes, "512m, 2g; nothing for no limit"),
  "memory-swap": limit("MemorySwap", (value) => bytesText(Number(value)), parseMemorySwap, "memory and swap; -1"),
  "memory-reservation": limit("MemoryReservation", (value) => bytesText(Number(value)), parseBytes),
  cpus: limit("NanoCpus", (value) => (value === 0 ? "" : String(Number(value) / 1e9)), parseCpus),
  "cpu-shares": count("CpuShares"),
  "cpu-period": count("CpuPeriod"),
  "cpu-quota": count("CpuQuota"),
  "cpuset-cpus": limit(
    "CpusetCpus",
    (value) => String(value || ""),
    (text) => text,
  ),
  "cpuset-mems": limit(
    "CpusetMems",
    (value) => String(value || ""),
    (text) => text,
  ),
  "pids-limit": field<number>(
    "number",
    "live",
    ({ HostConfig }) => HostConfig.PidsLimit ?? 0,
    (request, now) => {
      request.PidsLimit = now > 0 ? now : -1
    },
  ),
  "blkio-weight": count("BlkioWeight"),
  "health-cmd": field<string>("text", "live", healthCommand, writeHealth, "nothing for no check"),
  "health-interval": healthTime("Interval"),
  "health-timeout": healthTime("Timeout"),
  "health-start-period": healthTime("StartPeriod"),
  "health-start-interval": healthTime("StartInterval"),
  "health-retries": field<number>(
    "number",
    "live",
    ({ Config }) => Config.Healthcheck?.Retries ?? 0,
    (request, now) => {
      request.Healthcheck = { ...request.Healthcheck, Retries: now }
    },
  ),
  "health-action": field<string>(
    "text",
    "live",
    ({ HostConfig }) => HostConfig.HealthAction ?? "",
    (request, now) => {
      request.HealthAction = now === "" ? "none" : parseHealthAction(now)
    },
    "when the check fails: none, restart, stop, kill",
  ),
  timeout: field<string>(
    "text",
    "live",
    ({ HostConfig }) => durationText((HostConfig.Timeout ?? 0) * 1e9),
    (request, now) => {
      request.Timeout = now === "" ? 0 : parseTimeLimit(now)
    },
    "stopped after this time",
  ),
  "net-rate": field<string>(
    "text",
    "live",
    ({ HostConfig }) => netRateText(HostConfig.NetRate ?? {}),
    (request, now) => {
      request.NetRate = parseNetRate(now || "0")
    },
    "of each interface: 10mbit, in=100mbit,out=10mbit",
  ),
  requires: field<readonly string[]>(
    "list",
    "live",
    ({ HostConfig }) => HostConfig.Requires ?? [],
    (request, now) => {
      request.Requires = [...now]
    },
  ),
  "stop-signal": field<string>(
    "text",
    "live",
    ({ Config }) => Config.StopSignal ?? "",
    (request, now) => {
      request.StopSignal = now || "SIGTERM"
    },
  ),
  "stop-timeout": field<string>(
    "text",
    "live",
    ({ Config }) => String(Config.StopTimeout ?? ""),
    (request, now) => {
      if (!/^-?\d*$/.test(now)) throw new Error("expected a number of seconds")
      request.StopTimeout = now === "" ? DEFAULT_STOP_TIMEOUT : Number(now)
    },
    "seconds until it is killed; -1 waits for ever",
  ),
  rm: field<boolean>(
    "flag",
    "live",
    ({ HostConfig }) => HostConfig.AutoRemove === true,
    (request, now) => {
      request.AutoRemove = now
    },
  ),
  env: field<Readonly<Record<string, string>>>("map", "restart", environment, (request, now, was) => {
    const gone = Object.keys(was).filter((name) => !Object.hasOwn(now, name))
    if (gone.length > 0) request.EnvRm = gone
    const added = Object.entries(now).filter(([name, value]) => was[name] !== value)
    if (added.length > 0) request.EnvAdd = added.map(([name, value]) => `${name}=${value}`)
  }),
  entrypoint: words("Entrypoint"),
  command: words("Cmd"),
  user: configText("User"),
  workdir: configText("WorkingDir"),
  hostname: configText("Hostname"),
  domainname: configText("Domainname"),
  tty: field<boolean>(
    "flag",
    "restart",
    ({ Config }) => Config.Tty === true,
    (request, now) => {
      request.Tty = now
    },
  ),
  interactive: field<boolean>(
    "flag",
    "restart",
    ({ Config }) => Config.OpenStdin === true,
    (request, now) => {
      request.OpenStdin = now
    },
  ),
  init: hostFlag("Init"),
  network: hostText("NetworkMode"),
  dns: hostList("Dns"),
  "dns-search": hostList("DnsSearch"),
  "dns-option": hostList("DnsOptions"),
  "add-host": hostList("ExtraHosts"),
  "read-only": hostFlag("ReadonlyRootfs"),
  privileged: hostFlag("Privileged"),
  "cap-add": hostList("CapAdd"),
  "cap-drop": hostList("CapDrop"),
  "security-opt": hostList("SecurityOpt"),
  "group-add": hostList("GroupAdd"),
  ipc: hostText("IpcMode"),
  pid: hostText("PidMode"),
  sysctl: hostMap("Sysctls"),
  ulimit: field<readonly string[]>(
    "list",
    "restart",
    ({ HostConfig }) => (HostConfig.Ulimits ?? []).map(({ Name, Soft, Hard }) => `${Name}=${Soft}:${Hard}`),
    (request, now) => {
      if (now.length === 0) request.Reset = [...(request.Reset ?? []), "Ulimits"]
      else request.Ulimits = now.map(parseUlimit)
    },
  ),
  "shm-size": field<string>(
    "text",
    "restart",
    ({ HostConfig }) => bytesText(HostConfig.ShmSize ?? 0),
    (request, now) => {
      request.ShmSize = now === "" ? 0 : parseBytes(now)
    },
  ),
  annotation: hostMap("Annotations"),
  "log-driver": field<string>(
    "text",
    "live",
    ({ HostConfig }) => HostConfig.LogConfig?.Type ?? "",
    (request, now) => {
      request.LogConfig = { ...request.LogConfig, Type: now }
    },
  ),
  "log-opt": field<Readonly<Record<string, string>>>(
    "map",
    "live",
    ({ HostConfig }) => HostConfig.LogConfig?.Config ?? {},
    (request, now) => {
      request.LogConfig = { ...request.LogConfig, Config: { ...now } }
    },
  ),
  runtime: hostText("Runtime"),
  image: field<string>(
    "text",
    "recreate",
    ({ Config }) => Config.Image ?? "",
    (request, now) => {
      if (now === "") throw new Error("a container needs an image")
      request.Image = now
    },
  ),
}
