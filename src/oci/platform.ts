// Platforms: os/architecture[/variant], in the names of GOOS and GOARCH.
import { DhowError } from "../lib/errors.ts"

export type Platform = {
  readonly os: string
  readonly architecture: string
  readonly variant?: string
  readonly "os.version"?: string
}

const ARCHITECTURE_ALIASES: Readonly<Record<string, { architecture: string; variant?: string }>> = {
  x86_64: { architecture: "amd64" },
  "x86-64": { architecture: "amd64" },
  aarch64: { architecture: "arm64" },
  armhf: { architecture: "arm", variant: "v7" },
  armel: { architecture: "arm", variant: "v6" },
  i386: { architecture: "386" },
  i686: { architecture: "386" },
}

const VARIANT = /^v\d+$/
const NODE_ARCHITECTURES: Readonly<Record<string, string>> = {
  x64: "amd64",
  arm64: "arm64",
  arm: "arm",
  ia32: "386",
  ppc64: "ppc64le",
  s390x: "s390x",
  riscv64: "riscv64",
}

export function hostPlatform(): Platform {
  return { os: "linux", architecture: NODE_ARCHITECTURES[process.arch] ?? process.arch }
}

const SYSTEMS = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split(
    " ",
  ),
)
const ARCHITECTURES = new Set(
  `386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le
    riscv riscv64 s390 s390x sparc sparc64 wasm`.split(/\s+/),
)
const SYSTEM_ALIASES: Readonly<Record<string, string>> = { macos: "darwin" }
const COMPONENT = /^[A-Za-z0-9_.-]+$/

/**
 * Reads "linux/arm64/v8", "arm64", "arm/v7" or "linux"; what names no operating system is of Linux. Throws invalid, as
 * Docker says it: a single word must be known, while two may name what this engine has never heard of.
 */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/")
  const wrong = parts.findIndex((part) => !COMPONENT.test(part) || part.startsWith("."))
  if (parts.length > 3) throw new DhowError("invalid", `${JSON.stringify(text)}: cannot parse platform specifier`)
  if (wrong >= 0) {
    const what = wrong === 0 ? "OS component" : "component"
    const shown = [parts[wrong], text].map((word) => JSON.stringify(word))
    throw new DhowError("invalid", `${shown[0]} is an invalid ${what} of ${shown[1]}`)
  }
  if (parts.length === 1) {
    const [word = ""] = parts
    const os = SYSTEM_ALIASES[word] ?? word
    if (SYSTEMS.has(os)) return normalizePlatform({ os, architecture: hostPlatform().architecture })
    const found = normalizePlatform({ os: "linux", architecture: word })
    if (ARCHITECTURES.has(found.architecture)) return found
    throw new DhowError("invalid", `${JSON.stringify(text)}: unknown operating system or architecture`)
  }
  const [first = "", second = "", third] = parts
  const isLinux = parts.length === 2 && VARIANT.test(second)
  const [system, architecture, variant] = isLinux ? ["linux", first, second] : [first, second, third]
  const os = SYSTEM_ALIASES[system] ?? system
  return normalizePlatform(variant === undefined ? { os, architecture } : { os, architecture, variant })
}

/** Aliases replaced and default variants dropped: aarch64/v8 and arm64 are the same, amd64/v1 and amd64; arm means arm/v7. */
export function normalizePlatform(platform: Platform): Platform {
  const alias = ARCHITECTURE_ALIASES[platform.architecture]
  const architecture = alias?.architecture ?? platform.architecture
  let variant = platform.variant || alias?.variant
  if (architecture === "arm64" && variant === "v8") variant = undefined
  if (architecture === "amd64" && variant === "v1") variant = undefined
  if (architecture === "arm" && variant === undefined) variant = "v7"
  const { os } = platform
  return variant === undefined ? { os, architecture } : { os, architecture, variant }
}

/** "linux/arm64/v8" */
export function formatPlatform(platform: Platform): string {
  const { os, architecture, variant } = platform
  return variant === undefined || variant === "" ? `${os}/${architecture}` : `${os}/${architecture}/${variant}`
}

export function samePlatform(a: Platform, b: Platform): boolean {
  return formatPlatform(normalizePlatform(a)) === formatPlatform(normalizePlatform(b))
}

/** What a processor of one architecture commonly runs as well. */
const ALSO_RUNS: Readonly<Record<string, readonly string[]>> = { amd64: ["386"], arm64: ["arm"] }

/** Whether programs for `architecture` need no emulation on a processor of `host`; names as in GOARCH. */
export function runsNatively(architecture: string, host: string): boolean {
  return architecture === host || ALSO_RUNS[host]?.includes(architecture) === true
}

/**
 * How far `found` is from `wanted`: 0 is the same, 1 and up are older variants of the same architecture, Infinity is
 * anything else. With `compatible`, another architecture that `wanted` runs as well comes after its own variants.
 */
export function platformDistance(
  wanted: Platform,
  found: Platform,
  { compatible = false }: { readonly compatible?: boolean } = {},
): number {
  const a = normalizePlatform(wanted)
  const b = normalizePlatform(found)
  if (a.os !== b.os) return Number.POSITIVE_INFINITY
  const level = ({ variant }: Platform): number => Number(/^v(\d+)$/.exec(variant ?? "")?.[1] ?? 0)
  if (a.architecture === b.architecture) {
    if (a.variant === b.variant) return 0
    const older = level(a) - level(b)
    return older > 0 ? older : Number.POSITIVE_INFINITY
  }
  const isCompatible = compatible && runsNatively(b.architecture, a.architecture)
  return isCompatible ? 100 - level(b) : Number.POSITIVE_INFINITY
}
