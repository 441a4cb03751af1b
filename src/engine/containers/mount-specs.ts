// Reads what a user asks to be mounted (-v, --mount, --volumes-from, an image's VOLUMEs) into one list of wishes by
// destination, with Docker's checks and words. Pure; nothing is looked up here.
import { posix } from "node:path"
import { DhowError } from "../../lib/errors.ts"
import type { Mount } from "../../wire/container.ts"

export type MountWish = {
  readonly type: "bind" | "volume" | "tmpfs" | "image"
  /** Host path, volume name, image, or "" for an anonymous volume and tmpfs. */
  readonly source: string
  readonly destination: string
  /** As written after the second colon of -v; "" for --mount. */
  readonly mode: string
  readonly readOnly: boolean
  /** "" where none was chosen. */
  readonly propagation: string
  readonly nonRecursive: boolean
  readonly copyUp: boolean
  readonly createSource: boolean
  readonly subpath?: string
  readonly driver?: string
  readonly driverOptions?: Readonly<Record<string, string>>
  readonly labels?: Readonly<Record<string, string>>
  /** Mount options of a tmpfs. */
  readonly tmpfsOptions?: readonly string[]
  readonly readOnlyNonRecursive?: boolean
  readonly readOnlyForceRecursive?: boolean
  /** As written: mount-map.ts reads it. */
  readonly map?: string
}

const PROPAGATIONS = new Set(["private", "rprivate", "slave", "rslave", "shared", "rshared"])
const CONSISTENCIES = new Set(["consistent", "cached", "delegated"])

/** One -v: "/in", "/host:/in", "name:/in:ro,z". */
export function parseBind(text: string): MountWish {
  const invalid = (why?: string): DhowError =>
    new DhowError("invalid", `invalid volume specification: '${text}'${why === undefined ? "" : `: ${why}`}`)
  const parts = splitBind(text)
  const [first = ""] = parts
  if (first === "" || parts.length > 3) throw invalid()
  if (parts.length === 1) return checked({ ...BARE, type: "volume", source: "", destination: first }, invalid)
  const [source = "", destination = "", mode = ""] = parts
  if (parts.length === 2 && destination !== "" && isMode(destination)) throw invalid()
  if (!isMode(mode)) throw new DhowError("invalid", `invalid mode: ${mode}`)
  const words = new Set(mode.split(",").filter((word) => word !== ""))
  const type = source.startsWith("/") ? "bind" : "volume"
  const propagation = [...words].find((word) => PROPAGATIONS.has(word)) ?? ""
  const misplaced = type === "bind" ? words.has("nocopy") && "VolumeOptions" : propagation !== "" && "BindOptions"
  if (misplaced) throw invalid(`invalid mount config for type "${type}": field ${misplaced} must not be specified`)
  return checked(
    {
      ...BARE,
      type,
      source: type === "bind" ? posix.normalize(source) : source,
      destination,
      mode,
      readOnly: words.has("ro"),
      propagation,
      copyUp: type === "volume" && !words.has("nocopy"),
      createSource: type === "bind",
      ...mapOf([...words].find((word) => word.startsWith(MAP))?.slice(MAP.length), propagation),
    },
    invalid,
  )
}

const MAP = "map="

/** At the colons, but for those of a map: "/a:/b:ro,map=1000:1000" is three parts. */
function splitBind(text: string): string[] {
  const [source = "", destination, ...rest] = text.split(":")
  if (destination === undefined) return [source]
  const mode = rest.join(":")
  return /(?:^|,)map=/.test(mode) ? [source, destination, mode] : [source, destination, ...rest]
}

function mapOf(map: string | undefined, propagation: string): Pick<MountWish, "map"> {
  if (map === undefined || map === "") return {}
  if (propagation !== "" && !/private$/.test(propagation))
    throw new DhowError("invalid", `conflicting options: map="${map}" and propagation "${propagation}"`, {
      hint: "What is mounted later would come in without the map",
    })
  return { map }
}

const BARE = {
  mode: "",
  readOnly: false,
  propagation: "",
  nonRecursive: false,
  copyUp: true,
  createSource: false,
} as const

/** A known combination of words: at most one of each group. */
function isMode(mode: string): boolean {
  if (mode === "") return true
  const seen = { access: 0, label: 0, propagation: 0, copy: 0, consistency: 0, map: 0 }
  for (const word of mode.split(",")) {
    if (word === "ro" || word === "rw") seen.access++
    else if (word === "z" || word === "Z") seen.label++
    else if (PROPAGATIONS.has(word)) seen.propagation++
    else if (word === "nocopy") seen.copy++
    else if (CONSISTENCIES.has(word)) seen.consistency++
    else if (word.startsWith(MAP) && word !== MAP) seen.map++
    else return false
  }
  return Object.values(seen).every((count) => count <= 1)
}

function checked(wish: MountWish, invalid: (why: string) => DhowError): MountWish {
  const destination = posix.normalize(wish.destination)
  if (!destination.startsWith("/"))
    throw invalid(
      `invalid mount config for type "${wish.type}": invalid mount path: '${wish.destination}' mount path must be absolute`,
    )
  if (destination === "/")
    throw invalid(`invalid mount config for type "${wish.type}": invalid specification: destination can't be '/'`)
  refuseProc(destination)
  if (wish.source.includes("\0") || destination.includes("\0")) throw invalid("a path cannot hold a NUL byte")
  return { ...wish, destination: destination.length > 1 ? destination.replace(/\/$/, "") : destination }
}

/** Files there that tools such as lxcfs put their own in the place of. */
const PROC_FILES = new Set(
  [
    ...["cpuinfo", "diskstats", "loadavg", "meminfo", "slabinfo", "stat", "swaps", "uptime"],
    ...["net/dev", "sys/kernel/ns_last_pid", "sys/crypto/fips_enabled"],
  ].map((name) => `/proc/${name}`),
)

/** What a container's security is read from and set with is not for its creator to replace. */
export function refuseProc(destination: string): void {
  const path = posix.normalize(destination)
  if (path.startsWith("/proc/") && !PROC_FILES.has(path))
    throw new DhowError("invalid", `"${path}" cannot be mounted because it is inside /proc`)
}

/** One --mount, as the API carries it. */
export function parseMount(mount: Mount): MountWish {
  const invalid = (why: string): DhowError =>
    new DhowError(
      "invalid",
      why.startsWith("invalid mount config") ? why : `invalid mount config for type "${mount.Type}": ${why}`,
    )
  if (!mount.Target) throw invalid("field Target must not be empty")
  const source = mount.Source ?? ""
  const readOnly = mount.ReadOnly ?? false
  const extra = (field: string, value: unknown): void => {
    if (value !== undefined && value !== null) throw invalid(`field ${field} must not be specified`)
  }
  switch (mount.Type) {
    case "bind": {
      if (source === "") throw invalid("field Source must not be empty")
      extra("VolumeOptions", mount.VolumeOptions)
      extra("ImageOptions", mount.ImageOptions)
      if (!source.startsWith("/")) throw invalid(`invalid mount path: '${source}' mount path must be absolute`)
      const propagation = mount.BindOptions?.Propagation ?? ""
      if (propagation !== "" && !PROPAGATIONS.has(propagation))
        throw invalid(`invalid propagation mode: ${propagation}`)
      if (mount.BindOptions?.ReadOnlyNonRecursive && mount.BindOptions.ReadOnlyForceRecursive)
        throw new DhowError("invalid", "mount options conflict: ReadOnlyNonRecursive && ReadOnlyForceRecursive")
      return checked(
        {
          ...BARE,
          type: "bind",
          source: posix.normalize(source),
          destination: mount.Target,
          readOnly,
          propagation,
          nonRecursive: mount.BindOptions?.NonRecursive ?? false,
          readOnlyNonRecursive: mount.BindOptions?.ReadOnlyNonRecursive ?? false,
          readOnlyForceRecursive: mount.BindOptions?.ReadOnlyForceRecursive ?? false,
          copyUp: false,
          createSource: mount.BindOptions?.CreateMountpoint ?? false,
          ...mapOf(mount.BindOptions?.Map, propagation),
        },
        invalid,
      )
    }
    case "volume": {
      extra("BindOptions", mount.BindOptions)
      extra("ImageOptions", mount.ImageOptions)
      const options = mount.VolumeOptions
      if (options?.Subpath && (source === "" || !isLocalPath(options.Subpath)))
        throw invalid(
          source === ""
            ? "must not set Subpath when using anonymous volumes"
            : "subpath must be a relative path within the volume",
        )
      if (readOnly && source === "") throw invalid("must not set ReadOnly mode when using anonymous volumes")
      return checked(
        {
          ...BARE,
          type: "volume",
          source,
          destination: mount.Target,
          readOnly,
          copyUp: !options?.NoCopy,
          ...(options?.Subpath ? { subpath: options.Subpath } : {}),
          ...(options?.DriverConfig?.Name ? { driver: options.DriverConfig.Name } : {}),
          ...(options?.DriverConfig?.Options ? { driverOptions: options.DriverConfig.Options } : {}),
          ...(options?.Labels ? { labels: options.Labels } : {}),
          ...mapOf(options?.Map, ""),
        },
        invalid,
      )
    }
    case "tmpfs": {
      extra("BindOptions", mount.BindOptions)
      extra("VolumeOptions", mount.VolumeOptions)
      extra("ImageOptions", mount.ImageOptions)
      if (source !== "") throw invalid("field Source must not be specified")
      return checked(
        {
          ...BARE,
          type: "tmpfs",
          source: "",
          destination: mount.Target,
          readOnly,
          copyUp: false,
          tmpfsOptions: tmpfsOptions(mount, invalid),
        },
        invalid,
      )
    }
    case "image": {
      extra("BindOptions", mount.BindOptions)
      extra("VolumeOptions", mount.VolumeOptions)
      extra("TmpfsOptions", mount.TmpfsOptions)
      if (source === "") throw invalid("field Source must not be empty")
      const subpath = mount.ImageOptions?.Subpath
      if (subpath && !isLocalPath(subpath)) throw invalid("subpath must be a relative path within the volume")
      const wish = { ...BARE, type: "image", source, destination: mount.Target, readOnly: true, copyUp: false } as const
      return checked(subpath ? { ...wish, subpath } : wish, invalid)
    }
    default:
      throw invalid("mount type unknown")
  }
}

function tmpfsOptions(mount: Mount, invalid: (why: string) => DhowError): string[] {
  const words: string[] = []
  const options = mount.TmpfsOptions
  if (options?.Mode !== undefined) words.push(`mode=${options.Mode.toString(8)}`)
  if (options?.SizeBytes !== undefined && options.SizeBytes > 0) words.push(`size=${options.SizeBytes}`)
  for (const option of options?.Options ?? []) {
    const [name = "", value] = option
    if (option.length < 1 || option.length > 2) throw invalid("invalid option array length")
    if (name !== "exec" && name !== "noexec") throw invalid(`invalid option: ${name}`)
    words.push(value === undefined ? name : `${name}=${value}`)
  }
  return words
}

/** Relative, and not leading out: Go's filepath.IsLocal. */
function isLocalPath(path: string): boolean {
  const normal = posix.normalize(path)
  return path !== "" && !path.startsWith("/") && normal !== ".." && !normal.startsWith("../")
}

/** One --volumes-from: a container and "ro", "rw" or nothing. */
export function parseVolumesFrom(text: string): { readonly container: string; readonly readOnly: boolean } {
  if (text === "") throw new DhowError("invalid", "volumes-from specification cannot be an empty string")
  const at = text.indexOf(":")
  const container = at < 0 ? text : text.slice(0, at)
  const mode = at < 0 ? "rw" : text.slice(at + 1)
  if (!isMode(mode) || /private|slave|shared|nocopy|map=/.test(mode))
    throw new DhowError("invalid", `invalid mode: ${mode}`)
  return { container, readOnly: mode.split(",").includes("ro") }
}
