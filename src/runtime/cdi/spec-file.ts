// Specifications of the Container Device Interface (https://github.com/cncf-tags/container-device-interface, SPEC.md):
// what a vendor's file says a container needs for a device. Checked here once; nothing unchecked gets further.
import { DhowError } from "../../lib/errors.ts"

export type DeviceNode = {
  readonly path: string
  readonly hostPath?: string
  readonly type?: string
  readonly major?: number
  readonly minor?: number
  readonly fileMode?: number
  readonly permissions?: string
  readonly uid?: number
  readonly gid?: number
}

export type Edits = {
  readonly env: readonly string[]
  readonly deviceNodes: readonly DeviceNode[]
  readonly mounts: readonly {
    readonly hostPath: string
    readonly containerPath: string
    readonly type?: string
    readonly options: readonly string[]
  }[]
  readonly hooks: readonly {
    readonly hookName: HookName
    readonly path: string
    readonly args?: readonly string[]
    readonly env?: readonly string[]
    readonly timeout?: number
  }[]
  readonly additionalGids: readonly number[]
}

export type CdiSpec = { readonly kind: string; readonly edits: Edits; readonly devices: ReadonlyMap<string, Edits> }

const HOOK_NAMES = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] as const
export type HookName = (typeof HOOK_NAMES)[number]

const KIND = /^[A-Za-z][A-Za-z0-9._-]*[A-Za-z0-9]?\/[A-Za-z][A-Za-z0-9_-]*$/
const DEVICE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_.:-]*[A-Za-z0-9])?$/

/** `value` is what JSON or YAML gave. */
export function parseCdiSpec(value: unknown): CdiSpec {
  const spec = object(value, "the file")
  const version = text(spec["cdiVersion"], "cdiVersion")
  if (!/^v?[01]\.\d+\.\d+$/.test(version)) fail(`version ${JSON.stringify(version)} is not known`)
  const kind = text(spec["kind"], "kind")
  if (!KIND.test(kind)) fail(`kind ${JSON.stringify(kind)} is not of the form vendor.com/class`)
  const devices = new Map<string, Edits>()
  for (const entry of list(spec["devices"], "devices")) {
    const device = object(entry, "a device")
    // YAML reads a device's name such as 0 as a number.
    const name = typeof device["name"] === "number" ? String(device["name"]) : text(device["name"], "name")
    if (!DEVICE_NAME.test(name)) fail(`device name ${JSON.stringify(name)} is not valid`)
    if (devices.has(name)) fail(`device "${name}" is there twice`)
    devices.set(name, parseEdits(device["containerEdits"]))
  }
  if (devices.size === 0) fail("it has no devices")
  return { kind, edits: parseEdits(spec["containerEdits"]), devices }
}

function parseEdits(value: unknown): Edits {
  const edits = value === undefined || value === null ? {} : object(value, "containerEdits")
  for (const unsupported of ["intelRdt", "netDevices"])
    if (edits[unsupported] !== undefined && edits[unsupported] !== null) fail(`"${unsupported}" is not supported`)
  return {
    env: list(edits["env"], "env").map((entry) => {
      const variable = text(entry, "env")
      if (variable.indexOf("=") <= 0) fail(`variable ${JSON.stringify(variable)} is not of the form NAME=VALUE`)
      return variable
    }),
    deviceNodes: list(edits["deviceNodes"], "deviceNodes").map(parseNode),
    mounts: list(edits["mounts"], "mounts").map((entry) => {
      const mount = object(entry, "a mount")
      return {
        hostPath: text(mount["hostPath"], "hostPath"),
        containerPath: absolute(mount["containerPath"], "containerPath"),
        ...optional("type", mount["type"], text),
        options: list(mount["options"], "options").map((option) => text(option, "options")),
      }
    }),
    hooks: list(edits["hooks"], "hooks").map((entry) => {
      const hook = object(entry, "a hook")
      const hookName = HOOK_NAMES.find((name) => name === hook["hookName"])
      if (hookName === undefined) return fail(`hook ${JSON.stringify(hook["hookName"])} is not known`)
      return {
        hookName,
        path: absolute(hook["path"], "path of a hook"),
        ...optional("args", hook["args"], texts),
        ...optional("env", hook["env"], texts),
        ...optional("timeout", hook["timeout"], number),
      }
    }),
    additionalGids: list(edits["additionalGids"], "additionalGids").map((gid) => number(gid, "additionalGids")),
  }
}

function parseNode(entry: unknown): DeviceNode {
  const node = object(entry, "a device node")
  const type = optional("type", node["type"], text)
  if (type.type !== undefined && !["b", "c", "u", "p"].includes(type.type)) fail(`device type "${type.type}"`)
  const permissions = optional("permissions", node["permissions"], text)
  if (permissions.permissions !== undefined && !/^[rwm]*$/.test(permissions.permissions))
    fail(`device permissions "${permissions.permissions}"`)
  return {
    path: absolute(node["path"], "path of a device node"),
    ...optional("hostPath", node["hostPath"], absolute),
    ...type,
    ...optional("major", node["major"], number),
    ...optional("minor", node["minor"], number),
    ...optional("fileMode", node["fileMode"], number),
    ...permissions,
    ...optional("uid", node["uid"], number),
    ...optional("gid", node["gid"], number),
  }
}

function fail(what: string): never {
  throw new DhowError("invalid", `It is no specification of CDI devices: ${what}`)
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return fail(`${what} is no object`)
  return value as Readonly<Record<string, unknown>>
}

function list(value: unknown, what: string): readonly unknown[] {
  if (value === undefined || value === null) return []
  return Array.isArray(value) ? value : fail(`"${what}" is no list`)
}

function text(value: unknown, what: string): string {
  return typeof value === "string" && value !== "" ? value : fail(`"${what}" is no text`)
}

function texts(value: unknown, what: string): readonly string[] {
  return list(value, what).map((entry) => (typeof entry === "string" ? entry : fail(`"${what}" holds no text`)))
}

function absolute(value: unknown, what: string): string {
  const path = text(value, what)
  return path.startsWith("/") ? path : fail(`${what} "${path}" is not absolute`)
}

function number(value: unknown, what: string): number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : fail(`"${what}" is no number`)
}

function optional<Key extends string, T>(
  key: Key,
  value: unknown,
  parse: (value: unknown, what: string) => T,
): { readonly [K in Key]?: T } {
  if (value === undefined || value === null) return {}
  return { [key]: parse(value, key) } as { readonly [K in Key]?: T }
}
