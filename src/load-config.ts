// Builds the Config: defaults, then the file, then the environment, then dockerd's flags.

import { statSync } from "node:fs"
import { isIP } from "node:net"
import { resolve } from "node:path"
import { parseArgs } from "node:util"
import * as v from "valibot"
import type { Config, GcConfig, RegistriesConfig } from "./config.ts"
import { DhowError, describeError } from "./lib/errors.ts"
import { readIfExists } from "./lib/files.ts"
import { log } from "./lib/log.ts"
import { parseSpan } from "./lib/span.ts"
import { registriesOf, registryKeys } from "./load-registries.ts"

const DEFAULT_FILE = "/etc/dhow/daemon.json"

/** The keys of the file are dockerd's; unknown ones are refused, since a typo would otherwise go unnoticed. */
const FileSchema = v.strictObject({
  "data-root": v.optional(v.string()),
  "exec-root": v.optional(v.string()),
  "storage-driver": v.optional(v.picklist(["directory", "erofs", "auto"])),
  hosts: v.optional(v.array(v.string())),
  "log-level": v.optional(v.picklist(["debug", "info", "warn", "error"])),
  debug: v.optional(v.boolean()),
  "default-runtime": v.optional(v.string()),
  runtimes: v.optional(
    v.record(v.string(), v.strictObject({ path: v.string(), runtimeArgs: v.exactOptional(v.array(v.string())) })),
  ),
  init: v.optional(v.boolean()),
  "limit-rate": v.optional(v.string()),
  "platform-compat": v.optional(v.boolean()),
  "cgroup-parent": v.optional(v.string()),
  dns: v.optional(v.array(v.string())),
  "dns-search": v.optional(v.array(v.string())),
  "cdi-spec-dirs": v.optional(v.array(v.string())),
  "dns-opts": v.optional(v.array(v.string())),
  "log-driver": v.optional(v.string()),
  "log-opts": v.optional(v.record(v.string(), v.string())),
  bridge: v.optional(v.string()),
  bip: v.optional(v.string()),
  gc: v.optional(
    v.strictObject({
      max: v.optional(v.string()),
      floor: v.optional(v.string()),
      unused: v.optional(v.string()),
      "keep-last": v.optional(v.pipe(v.number(), v.integer(), v.minValue(0))),
      protect: v.optional(v.array(v.string())),
    }),
  ),
  ...registryKeys,
  "network-pool": v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(64))),
})

const FLAGS = {
  host: { type: "string", short: "H", multiple: true },
  "data-root": { type: "string" },
  "exec-root": { type: "string" },
  "storage-driver": { type: "string", short: "s" },
  "config-file": { type: "string" },
  "log-level": { type: "string", short: "l" },
  debug: { type: "boolean", short: "D" },
  "default-runtime": { type: "string" },
  "add-runtime": { type: "string", multiple: true },
  init: { type: "boolean" },
  "limit-rate": { type: "string" },
  "platform-compat": { type: "boolean" },
  "cgroup-parent": { type: "string" },
  dns: { type: "string", multiple: true },
  "dns-search": { type: "string", multiple: true },
  "cdi-spec-dir": { type: "string", multiple: true },
  "dns-opt": { type: "string", multiple: true },
  "log-driver": { type: "string" },
  "log-opt": { type: "string", multiple: true },
  bridge: { type: "string", short: "b" },
  bip: { type: "string" },
  "network-pool": { type: "string" },
  "insecure-registry": { type: "string", multiple: true },
  "registry-mirror": { type: "string", multiple: true },
} as const

export function loadConfig(args: readonly string[], environment: NodeJS.ProcessEnv): Config {
  const flags = parseFlags(args)
  const configFile = flags["config-file"] ?? environment["DHOW_CONFIG"] ?? DEFAULT_FILE
  const file = readFile(configFile, flags["config-file"] !== undefined)
  const runtimes: Record<string, Config["runtimes"][string]> = { ...file.runtimes }
  for (const entry of flags["add-runtime"] ?? []) {
    const [name = "", path = ""] = entry.split("=")
    if (name === "" || path === "") throw new DhowError("invalid", `invalid runtime "${entry}": expected NAME=PATH`)
    runtimes[name] = { path }
  }
  const pool = flags["network-pool"] === undefined ? (file["network-pool"] ?? 4) : Number(flags["network-pool"])
  if (!Number.isInteger(pool) || pool < 0 || pool > 64)
    throw new DhowError("invalid", `invalid network-pool "${flags["network-pool"]}": expected 0 to 64`)
  const execRoot = resolve(flags["exec-root"] ?? environment["DHOW_EXEC_ROOT"] ?? file["exec-root"] ?? "/run/dhow")
  const dataRoot = flags["data-root"] ?? environment["DHOW_DATA_ROOT"] ?? file["data-root"] ?? "/var/lib/dhow"
  const hosts = flags.host ?? file.hosts ?? []
  const dns = flags.dns ?? file.dns ?? []
  for (const server of dns)
    if (isIP(server) === 0) throw new DhowError("invalid", `invalid DNS server "${server}": expected an IP address`)
  const bridge = flags.bridge ?? file.bridge
  // Linux's own limit, and what it refuses in the name of an interface.
  if (bridge !== undefined && !/^[^\s/:]{1,15}$/.test(bridge))
    throw new DhowError("invalid", `invalid bridge name "${bridge}": expected 1 to 15 characters`)
  const registryFlags = { insecure: flags["insecure-registry"] ?? [], mirrors: flags["registry-mirror"] ?? [] }
  return Object.freeze({
    dataRoot: resolve(dataRoot),
    execRoot,
    storageDriver: storageDriver(
      flags["storage-driver"] ?? environment["DHOW_STORAGE_DRIVER"] ?? file["storage-driver"] ?? "auto",
    ),
    hosts: hosts.length > 0 ? hosts : [`unix://${execRoot}/dhow.sock`],
    configFile,
    logLevel: flags.debug || file.debug ? "debug" : logLevel(flags["log-level"] ?? file["log-level"] ?? "info"),
    defaultRuntime: flags["default-runtime"] ?? file["default-runtime"] ?? "crun",
    runtimes,
    init: flags.init ?? file.init ?? false,
    cgroupParent: resolve("/", flags["cgroup-parent"] ?? file["cgroup-parent"] ?? "dhow"),
    dns,
    dnsSearch: flags["dns-search"] ?? file["dns-search"] ?? [],
    cdiSpecDirs: flags["cdi-spec-dir"] ?? file["cdi-spec-dirs"] ?? ["/etc/cdi", "/var/run/cdi"],
    dnsOptions: flags["dns-opt"] ?? file["dns-opts"] ?? [],
    // Checked when the engine opens: their words are the drivers'.
    logDriver: flags["log-driver"] ?? file["log-driver"],
    logOptions: { ...file["log-opts"], ...parseLogOptions(flags["log-opt"] ?? []) },
    bridge,
    bip: flags.bip ?? file.bip,
    networkPool: pool,
    limitRate: rateOf(flags["limit-rate"] ?? file["limit-rate"]),
    platformCompat: flags["platform-compat"] ?? file["platform-compat"] ?? false,
    gc: gcOf(file),
    registries: registriesOf(file, registryFlags),
    registryFlags,
  } satisfies Config)
}

/**
 * The registries as the file has them now. A file that cannot be read any more leaves what was read before: a slip of an
 * editor must not stop pulls.
 */
export function registrySettings({ configFile, registries, registryFlags }: Config): () => RegistriesConfig {
  return reread(configFile, registries, { what: "registries", pick: (file) => registriesOf(file, registryFlags) })
}

/** The policy of the disk as the file has it now. */
export function gcSettings({ configFile, gc }: Config): () => GcConfig | undefined {
  return reread(configFile, gc, { what: "gc", pick: gcOf })
}

type File = v.InferOutput<typeof FileSchema>

function reread<T>(
  path: string,
  first: T,
  { what, pick }: { readonly what: string; readonly pick: (file: File) => T },
): () => T {
  let seen = changeOf(path)
  let current = first
  return () => {
    const now = changeOf(path)
    if (now === seen) return current
    seen = now
    try {
      current = pick(readFile(path, false))
    } catch (error) {
      log.error(`The key "${what}" of the configuration stays as it was`, { error: describeError(error) })
    }
    return current
  }
}

function gcOf({ gc }: File): GcConfig | undefined {
  if (gc?.max === undefined) {
    if (gc === undefined) return undefined
    throw new DhowError("invalid", 'gc needs "max", the share of the disk above which images are removed')
  }
  const max = parseShare("max", gc.max)
  const floor = gc.floor === undefined ? Math.max(0, max - 0.1) : parseShare("floor", gc.floor)
  if (floor > max) throw new DhowError("invalid", `gc.floor "${gc.floor}" is above gc.max "${gc.max}"`)
  return {
    max,
    floor,
    unused: parseSpan(gc.unused ?? "24h"),
    keepLast: gc["keep-last"] ?? 0,
    protect: gc.protect ?? ["dhow.keep"],
  }
}

function parseShare(key: string, text: string): number {
  const number = /^\s*(\d{1,3}(?:\.\d+)?)\s*%\s*$/.exec(text)?.[1]
  if (number !== undefined && Number(number) <= 100) return Number(number) / 100
  throw new DhowError("invalid", `invalid gc.${key} "${text}": expected a share of the disk, "80%"`)
}

function changeOf(path: string): string {
  const status = statSync(path, { bigint: true, throwIfNoEntry: false })
  return status === undefined ? "" : `${status.ino} ${status.size} ${status.mtimeNs}`
}

function parseFlags(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: FLAGS, strict: true, allowPositionals: false }).values
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause)
    throw new DhowError("invalid", message.split(/\. To specify|\.?\n/)[0] ?? message, {
      hint: "See dhow daemon --help",
    })
  }
}

function readFile(path: string, isAsked: boolean): v.InferOutput<typeof FileSchema> {
  const text = readIfExists(path)
  if (text === undefined) {
    if (isAsked) throw new DhowError("invalid", `Configuration file "${path}" does not exist`)
    return {}
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw new DhowError("invalid", `Configuration file "${path}" is not JSON`, { cause })
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new DhowError("invalid", `Configuration file "${path}" is not a JSON object`)
  const result = v.safeParse(FileSchema, value)
  if (result.success) return result.output
  const [issue] = result.issues
  const key = v.getDotPath(issue) ?? ""
  if (issue.type === "strict_object" && issue.expected === "never")
    throw new DhowError("invalid", `Configuration file "${path}": unknown key "${key}"`)
  throw new DhowError("invalid", `Configuration file "${path}": key "${key}": ${issue.message}`)
}

/** Docker's name for overlayfs over unpacked layers is understood, since scripts give it. */
function storageDriver(text: string): Config["storageDriver"] {
  if (text === "directory" || text === "erofs" || text === "auto") return text
  if (text === "overlay2") return "directory"
  throw new DhowError("invalid", `invalid storage driver "${text}": expected directory, erofs or auto`)
}

function logLevel(text: string): Config["logLevel"] {
  if (text === "debug" || text === "info" || text === "warn" || text === "error") return text
  throw new DhowError("invalid", `invalid log level "${text}": expected debug, info, warn or error`)
}

function parseLogOptions(entries: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    entries.map((entry) => {
      const at = entry.indexOf("=")
      if (at < 1) throw new DhowError("invalid", `invalid log option "${entry}": expected NAME=VALUE`)
      return [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
}

function rateOf(text: string | undefined): number | undefined {
  return text === undefined || text === "0" ? undefined : parseSize("limit-rate", text)
}

function parseSize(name: string, text: string): number {
  const match = /^(\d+)([kmg]?)b?$/i.exec(text)
  if (match === null) throw new DhowError("invalid", `invalid ${name} "${text}": expected a number with k, m or g`)
  return Number(match[1]) * 1024 ** " kmg".indexOf(match[2]?.toLowerCase() || " ")
}
