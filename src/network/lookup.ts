// Networks by name or id.
import { DhowError } from "../lib/errors.ts"
import { DEFAULT_NETWORKS, type Network } from "./record.ts"
import type { Tables } from "./tables.ts"

/** By id, name, or the unique beginning of an id; "default" is the default bridge. */
export function findNetwork(tables: Tables, reference: string): Network {
  const [found, second] = /^[0-9a-f]{1,64}$/.test(reference) ? tables.networksById(reference) : []
  // The name of one may be the id of another: who says the whole id means that.
  if (found?.id === reference) return found
  const byName = tables.networkByName(reference === "default" ? DEFAULT_NETWORKS.bridge : reference)
  if (byName !== undefined) return byName
  if (found === undefined) throw new DhowError("not-found", `network ${reference} not found`)
  if (second !== undefined)
    throw new DhowError("invalid", `network ${reference} is ambiguous (2 matches found on ID prefix)`)
  return found
}
