// Debian's names of what an image is for.
import { DhowError } from "../../../lib/errors.ts"
import { formatPlatform, normalizePlatform, type Platform } from "../../../oci/platform.ts"

const ARCHITECTURES: Readonly<Record<string, string>> = {
  "linux/amd64": "amd64",
  "linux/arm64": "arm64",
  "linux/arm/v7": "armhf",
  "linux/arm/v5": "armel",
  "linux/386": "i386",
  "linux/mips64le": "mips64el",
  "linux/ppc64le": "ppc64el",
  "linux/riscv64": "riscv64",
  "linux/s390x": "s390x",
}

/** Throws not-found where Debian has no such port. */
export function debianArchitecture(platform: Platform): string {
  const name = formatPlatform(normalizePlatform(platform))
  const known = ARCHITECTURES[name]
  if (known !== undefined) return known
  throw new DhowError("not-found", `no matching manifest for ${name}: Debian is not built for it`, {
    hint: `It is built for ${Object.keys(ARCHITECTURES).join(", ")}`,
  })
}
