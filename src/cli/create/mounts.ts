// -v, --mount and --tmpfs. A -v without a source is an anonymous volume of the container's configuration; all others
// go to the engine as they were given, relative paths made absolute since the engine has another working directory.
import { isAbsolute, resolve } from "node:path"
import { parseBytes } from "../../lib/size.ts"
import type { Mount } from "../../wire/container.ts"
import { cut, parseBoolean, parseCsvRecord } from "../flags/csv.ts"
import { callersMap } from "./caller.ts"

export type VolumeSpecs = { readonly binds: string[]; readonly anonymous: Record<string, Record<string, never>> }

export function parseVolumes(specs: readonly string[]): VolumeSpecs {
  const binds: string[] = []
  const anonymous: Record<string, Record<string, never>> = {}
  for (const spec of new Set(specs)) {
    if (spec === "") throw new Error("invalid empty volume spec")
    const parts = splitVolume(spec)
    if (spec.length > 2 && parts.includes("")) throw new Error(`invalid spec: ${spec}: empty section between colons`)
    if (parts.length > 3) throw new Error(`invalid spec: ${spec}: too many colons`)
    if (parts.length === 1 || spec.length <= 2) anonymous[spec] = {}
    else binds.push(bindOf(parts))
  }
  return { binds, anonymous }
}

function bindOf([source = "", ...rest]: readonly string[]): string {
  const [target = "", ...options] = rest
  const words = options.map((text) => text.split(",").map(withCaller).join(","))
  return [source.startsWith(".") ? resolve(source) : source, target, ...words].join(":")
}

const MAP = "map="

/** At the colons, but for those of a map of ids: "/a:/b:ro,map=1000:1000" is three parts. */
export function splitVolume(spec: string): string[] {
  const [source = "", target, ...rest] = spec.split(":")
  if (target === undefined) return [source]
  const options = rest.join(":")
  return /(?:^|,)map=/.test(options) ? [source, target, options] : [source, target, ...rest]
}

function withCaller(word: string): string {
  return word.startsWith(MAP) ? `${MAP}${callersMap(word.slice(MAP.length))}` : word
}

export function parseTmpfs(specs: readonly string[]): Record<string, string> {
  const tmpfs: Record<string, string> = {}
  for (const spec of specs) {
    const [path, options] = cut(spec, ":")
    tmpfs[path] = options ?? ""
  }
  return tmpfs
}

/** `Map` belongs to the options of a type that may be said later. */
type Draft = { -readonly [Key in keyof Mount]: Mount[Key] } & { Map?: string }
type Setter = (mount: Draft, value: string, key: string) => void

const flagValue = (value: string, key: string): boolean => {
  try {
    return parseBoolean(value)
  } catch {
    throw new Error(`invalid value for ${key}: ${value}`)
  }
}
const addPair = (target: Record<string, string>, value: string): void => {
  const [name, text] = cut(value, "=")
  if (name !== "") target[name] = text ?? ""
}
const bind = (mount: Draft): NonNullable<Mount["BindOptions"]> => (mount.BindOptions ??= {})
const tmpfs = (mount: Draft): NonNullable<Mount["TmpfsOptions"]> => (mount.TmpfsOptions ??= {})
const volume = (mount: Draft): NonNullable<Mount["VolumeOptions"]> =>
  (mount.VolumeOptions ??= { Labels: {}, DriverConfig: {} })

const setSource: Setter = (mount, value) => {
  mount.Source = !isAbsolute(value) && value.startsWith(".") ? resolve(value) : value
}
const setTarget: Setter = (mount, value) => {
  mount.Target = value
}
const setReadOnly: Setter = (mount, value, key) => {
  mount.ReadOnly = flagValue(value, key)
}

const RECURSIVE: Readonly<Record<string, (options: NonNullable<Mount["BindOptions"]>) => void>> = {
  enabled: () => {},
  disabled: (options) => {
    options.NonRecursive = true
  },
  writable: (options) => {
    options.ReadOnlyNonRecursive = true
  },
  readonly: (options) => {
    options.ReadOnlyForceRecursive = true
  },
}

const SETTERS: Readonly<Record<string, Setter>> = {
  type: (mount, value) => {
    mount.Type = value.toLowerCase() as Mount["Type"]
  },
  source: setSource,
  src: setSource,
  target: setTarget,
  dst: setTarget,
  destination: setTarget,
  readonly: setReadOnly,
  ro: setReadOnly,
  consistency: (mount, value) => {
    mount.Consistency = value.toLowerCase()
  },
  map: (mount, value) => {
    mount.Map = callersMap(value)
  },
  "bind-propagation": (mount, value) => {
    bind(mount).Propagation = value.toLowerCase()
  },
  "bind-nonrecursive": (mount, value, key) => {
    bind(mount).NonRecursive = flagValue(value, key)
  },
  "bind-recursive": (mount, value, key) => {
    const apply = RECURSIVE[value]
    if (apply === undefined)
      throw new Error(`invalid value for ${key}: ${value} (must be "enabled", "disabled", "writable", or "readonly")`)
    apply(value === "enabled" ? {} : bind(mount))
  },
  "volume-subpath": (mount, value) => {
    volume(mount).Subpath = value
  },
  "volume-nocopy": (mount, value, key) => {
    volume(mount).NoCopy = flagValue(value, key)
  },
  "volume-label": (mount, value) => addPair(volume(mount).Labels!, value),
  "volume-driver": (mount, value) => {
    volume(mount).DriverConfig!.Name = value
  },
  "volume-opt": (mount, value) => {
    const driver = volume(mount).DriverConfig!
    driver.Options ??= {}
    addPair(driver.Options, value)
  },
  "image-subpath": (mount, value) => {
    mount.ImageOptions = { Subpath: value }
  },
  "tmpfs-size": (mount, value, key) => {
    try {
      tmpfs(mount).SizeBytes = parseBytes(value)
    } catch {
      throw new Error(`invalid value for ${key}: ${value}`)
    }
  },
  "tmpfs-mode": (mount, value, key) => {
    if (!/^[0-7]{1,11}$/.test(value)) throw new Error(`invalid value for ${key}: ${value}`)
    tmpfs(mount).Mode = Number.parseInt(value, 8)
  },
}

const WITHOUT_VALUE = new Set(["readonly", "ro", "volume-nocopy", "bind-nonrecursive"])

export function parseMount(text: string): Mount {
  const mount: Draft = { Type: "volume", Target: "" }
  for (const field of parseCsvRecord(text)) {
    const [rawKey, value] = cut(field, "=")
    const key = rawKey.toLowerCase()
    if (value === undefined && !WITHOUT_VALUE.has(key))
      throw new Error(`invalid field '${field}' must be a key=value pair`)
    const setter = Object.hasOwn(SETTERS, key) ? SETTERS[key] : undefined
    if (setter === undefined) throw new Error(`unexpected key '${key}' in '${field}'`)
    setter(mount, value ?? "true", key)
  }
  if ((mount.Type as string) === "") throw new Error("type is required")
  if (mount.Target === "") throw new Error("target is required")
  const { Map: map, ...plain } = mount
  if (map !== undefined) {
    if (plain.Type === "bind") bind(plain).Map = map
    else if (plain.Type === "volume") volume(plain).Map = map
    else throw new Error(`cannot use 'map' with mount type '${plain.Type}'`)
  }
  checkOptions(plain)
  return plain
}

function checkOptions(mount: Mount): void {
  const kinds = [
    ["volume", mount.VolumeOptions],
    ["image", mount.ImageOptions],
    ["bind", mount.BindOptions],
    ["tmpfs", mount.TmpfsOptions],
  ] as const
  for (const [kind, options] of kinds) {
    if (options !== undefined && mount.Type !== kind)
      throw new Error(`cannot mix '${kind}-*' options with mount type '${mount.Type}'`)
  }
  const { ReadOnlyNonRecursive, ReadOnlyForceRecursive, Propagation } = mount.BindOptions ?? {}
  if (ReadOnlyNonRecursive === true && mount.ReadOnly !== true)
    throw new Error("option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction")
  if (ReadOnlyForceRecursive === true && mount.ReadOnly !== true)
    throw new Error("option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction")
  if (ReadOnlyForceRecursive === true && Propagation !== "rprivate")
    throw new Error(
      "option 'bind-recursive=readonly' requires 'bind-propagation=rprivate' to be specified in conjunction",
    )
}
