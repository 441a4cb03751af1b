// What may be mounted below /proc: files that tools put there to show a container its own limits. Anything else would let
// a container hide, or change, what the kernel says about it.
import { posix } from "node:path"
import { DhowError } from "../../lib/errors.ts"

const ALLOWED = new Set([
  "/proc/cpuinfo",
  "/proc/diskstats",
  "/proc/loadavg",
  "/proc/meminfo",
  "/proc/net/dev",
  "/proc/slabinfo",
  "/proc/stat",
  "/proc/swaps",
  "/proc/sys/crypto/fips_enabled",
  "/proc/sys/kernel/ns_last_pid",
  "/proc/uptime",
])

/** Throws invalid, in the words of the OCI runtimes that refuse it themselves. */
export function refuseInsideProc(destination: string): void {
  const path = posix.normalize(destination).replace(/(?<=.)\/$/, "")
  if (path.startsWith("/proc/") && !ALLOWED.has(path))
    throw new DhowError("invalid", `${JSON.stringify(destination)} cannot be mounted because it is inside /proc`)
}
