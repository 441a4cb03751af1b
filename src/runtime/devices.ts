// Host devices that a container asks for: their kinds and numbers are read from the host here, before the spec is built.
import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from "node:fs"
import { join } from "node:path"
import { DhowError } from "../lib/errors.ts"
import type { DeviceRule, RuntimeDevice, ThrottleLimit } from "../oci/runtime-spec.ts"
import type { HostConfig, ThrottleDevice } from "../wire/container.ts"
import type { ResolvedDevices } from "./spec-input.ts"

/** Everything is denied; the runtimes themselves allow /dev/null, zero, full, random, urandom, tty and pseudo terminals. */
const DENY_ALL: DeviceRule = { allow: false, access: "rwm" }
const ALLOW_ALL: DeviceRule = { allow: true, access: "rwm" }
/** Made by the runtime, or mounts of their own: never copied from the host's /dev. */
const NOT_COPIED = new Set(["pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts", ".udev", "console", "ptmx", "tty"])

const NONE: ResolvedDevices = {
  devices: [],
  rules: [DENY_ALL],
  weights: [],
  readBps: [],
  writeBps: [],
  readIOps: [],
  writeIOps: [],
  warnings: [],
}

/** Costs nothing for a container that asks for no device. */
export function resolveDevices(hostConfig: HostConfig): ResolvedDevices {
  const h = hostConfig
  if (
    !h.Privileged &&
    !h.Devices?.length &&
    !h.DeviceCgroupRules?.length &&
    !h.BlkioWeightDevice?.length &&
    !h.BlkioDeviceReadBps?.length &&
    !h.BlkioDeviceWriteBps?.length &&
    !h.BlkioDeviceReadIOps?.length &&
    !h.BlkioDeviceWriteIOps?.length
  )
    return NONE
  const devices: RuntimeDevice[] = []
  const rules: DeviceRule[] = [DENY_ALL]
  const warnings: string[] = []
  if (h.Privileged) devices.push(...hostDevices("/dev"))
  for (const mapping of h.Devices ?? []) {
    const inside = mapping.PathInContainer || mapping.PathOnHost
    if (h.Privileged && inside === mapping.PathOnHost) continue
    const found = devicesFromPath(mapping.PathOnHost, inside)
    devices.push(...found)
    const access = mapping.CgroupPermissions || "rwm"
    for (const device of found) rules.push(ruleOf(device, access))
  }
  if (h.Privileged) rules.splice(0, rules.length, ALLOW_ALL)
  else for (const rule of h.DeviceCgroupRules ?? []) rules.push(parseRule(rule))
  return {
    devices,
    rules,
    weights: (h.BlkioWeightDevice ?? []).map((entry) => ({ ...numbers(entry.Path), weight: entry.Weight })),
    readBps: throttles(h.BlkioDeviceReadBps),
    writeBps: throttles(h.BlkioDeviceWriteBps),
    readIOps: throttles(h.BlkioDeviceReadIOps),
    writeIOps: throttles(h.BlkioDeviceWriteIOps),
    warnings,
  }
}

/** Throws for rules and permissions that mean nothing, whatever devices there are. */
export function checkDeviceRules({ Devices: mappings, DeviceCgroupRules: rules }: HostConfig): void {
  for (const { CgroupPermissions: access } of mappings ?? [])
    if (access && !/^[rwm]{1,3}$/.test(access)) throw new DhowError("invalid", `invalid device mode: ${access}`)
  for (const rule of rules ?? []) parseRule(rule)
}

/** "c 1:3 rwm", "b *:* r", "a *:* rwm" */
function parseRule(text: string): DeviceRule {
  const match = /^([acb]) ([0-9]{1,10}|\*):([0-9]{1,10}|\*) ([rwm]{1,3})$/.exec(text)
  if (match === null) throw new DhowError("invalid", `invalid device cgroup rule format: '${text}'`)
  const [, type, major, minor, access = ""] = match
  return {
    allow: true,
    type: type as "a" | "b" | "c",
    ...(major === "*" ? {} : { major: Number(major) }),
    ...(minor === "*" ? {} : { minor: Number(minor) }),
    access,
  }
}

function devicesFromPath(onHost: string, inside: string): RuntimeDevice[] {
  const fail = (cause: unknown): never => {
    throw new DhowError(
      "invalid",
      `error gathering device information while adding custom device "${onHost}": ${plainly(cause)}`,
    )
  }
  let real: string
  let stats: Stats
  try {
    real = realpathSync(onHost)
    stats = statSync(real)
  } catch (cause) {
    return fail(cause)
  }
  const device = deviceNumbers(inside, stats)
  if (device !== undefined) return [device]
  const inDirectory = stats.isDirectory()
    ? hostDevices(real, []).map((child) => ({ ...child, path: inside + child.path.slice(real.length) }))
    : []
  return inDirectory.length > 0 ? inDirectory : fail(new Error("not a device node"))
}

/** Every character and block device below a directory. What vanishes meanwhile is passed over. */
function hostDevices(directory: string, skipped: Iterable<string> = NOT_COPIED): RuntimeDevice[] {
  const found: RuntimeDevice[] = []
  const skip = new Set(skipped)
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    if (skip.has(entry.name)) continue
    const path = join(directory, entry.name)
    if (entry.isDirectory()) {
      found.push(...hostDevices(path, skip))
      continue
    }
    if (!entry.isCharacterDevice() && !entry.isBlockDevice()) continue
    const stats = lstatSync(path, { throwIfNoEntry: false })
    const device = stats === undefined ? undefined : deviceNumbers(path, stats)
    if (device !== undefined) found.push(device)
  }
  return found
}

/** A node's kind, numbers and owner; undefined for what is no device. */
export function deviceNumbers(path: string, stats: Stats): RuntimeDevice | undefined {
  if (!stats.isCharacterDevice() && !stats.isBlockDevice()) return undefined
  return {
    path,
    type: stats.isBlockDevice() ? "b" : "c",
    ...split(stats.rdev),
    fileMode: stats.mode & 0o777,
    uid: stats.uid,
    gid: stats.gid,
  }
}

/** makedev(3) backwards: the kernel's 12 and 20 bits lie interleaved in the C library's 64. */
function split(rdev: number): { major: number; minor: number } {
  const wide = BigInt(rdev)
  const major = ((wide >> 8n) & 0xfffn) | ((wide >> 32n) & 0xfffff000n)
  const minor = (wide & 0xffn) | ((wide >> 12n) & 0xffffff00n)
  return { major: Number(major), minor: Number(minor) }
}

function ruleOf(device: RuntimeDevice, access: string): DeviceRule {
  return { allow: true, type: device.type as "b" | "c", major: device.major, minor: device.minor, access }
}

function numbers(path: string): { major: number; minor: number } {
  try {
    return split(statSync(path).rdev)
  } catch (cause) {
    throw new DhowError("invalid", `stat ${path}: ${plainly(cause)}`)
  }
}

/** "ENOENT: no such file or directory, stat '/x'" without the code and the call. */
function plainly(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return /^E[A-Z0-9]+: (.*), \w+ '.*'$/.exec(text)?.[1] ?? text
}

function throttles(entries: readonly ThrottleDevice[] | null | undefined): ThrottleLimit[] {
  return (entries ?? []).map((entry) => ({ ...numbers(entry.Path), rate: entry.Rate }))
}
