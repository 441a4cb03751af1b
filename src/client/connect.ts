// A connection to the daemon, which is started if nobody listens on the default socket. What starting needs is loaded
// only then.
import { errnoName } from "../lib/errors.ts"
import type { Address } from "./address.ts"
import { connectionError } from "./client.ts"
import { Duplex } from "./duplex.ts"

export async function connectOrStart(address: Address): Promise<Duplex> {
  try {
    return await Duplex.open(address.path)
  } catch (error) {
    const nobody = errnoName(error) === "ENOENT" || errnoName(error) === "ECONNREFUSED"
    if (!nobody || !address.isDefault) throw connectionError(address, error)
  }
  const { startDaemon } = await import("./autostart.ts")
  return startDaemon(address)
}
