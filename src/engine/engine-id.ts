// The id by which clients and events know this engine: stable for a machine.
import { hostname } from "node:os"
import { readIfExists } from "../lib/files.ts"

export function engineId(): string {
  const seed = readIfExists("/etc/machine-id")?.trim() || hostname()
  const hash = new Bun.CryptoHasher("sha256").update(`dhow ${seed}`).digest("hex")
  return hash.slice(0, 32).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}
