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

/** Reads "linux/arm64/v8", "arm64", "arm/v7" or "linux"; what names no operating system is of Linux. */
export function parsePlatform(text: string): Platform {
  const parts = text.toLowerCase().split("/")
  if (parts.length > 3 || parts.some((part) => !/^[a-z0-9][a-z0-9_.-]*$/.test(part)))
    throw new DhowError("invalid", `"${text}" is an invalid OS/architecture platform`)
  if (parts.length === 1) {
    const [word = ""] = parts
    if (word === "linux" || word === "windows" || word === "darwin")
      return normalizePlatform({ os: word, architecture: hostPlatform().architecture })
    return normalizePlatform({ os: "linux", architecture: word })
  }
  const [first = "", second = "", third] = parts
  const isLinux = parts.length === 2 && VARIANT.test(second)
  const [os, architecture, variant] = isLinux ? ["linux", first, second] : [first, second, third]
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
