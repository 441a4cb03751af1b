// Whose a bridge is: the engine that makes one writes its exec root on the interface itself. Two engines on one bridge
// would hand out the same addresses and sweep each other's interfaces, so each keeps to its own.
import { existsSync } from "node:fs"
import { DhowError } from "../lib/errors.ts"
import type { NetlinkSocket } from "../lib/netlink.ts"
import { linkAlias, setLinkAlias } from "./link.ts"

const PREFIX = "dhow "
/** The kernel keeps 255 bytes. */
const LONGEST = 250
const MOST_ENGINES = 64

export function ownerMark(execRoot: string): string {
  return `${PREFIX}${execRoot}`.slice(0, LONGEST)
}

/** Names made of a network's id: nobody else's, though a crash came before the mark. */
const OWN_NAME = /^(?:br|dm|di)-[0-9a-f]{12}$/

export function markAsOurs(host: NetlinkSocket, name: string, execRoot: string): void {
  if (linkAlias(host, name) === "") setLinkAlias(host, name, ownerMark(execRoot))
}

/** Whether an interface of a network of ours was made by this engine, and is its to remove. */
export function isOurs(host: NetlinkSocket, name: string, execRoot: string): boolean {
  const alias = linkAlias(host, name)
  return alias === ownerMark(execRoot) || (alias === "" && OWN_NAME.test(name))
}

/** The exec root of another engine whose bridge this is; undefined for our own, for nobody's, and for one left behind. */
export function otherOwner(host: NetlinkSocket, bridge: string, execRoot: string): string | undefined {
  const alias = linkAlias(host, bridge)
  if (!alias.startsWith(PREFIX) || alias === ownerMark(execRoot)) return undefined
  const owner = alias.slice(PREFIX.length)
  return existsSync(owner) ? owner : undefined
}

/** Whether the bridge was made by an engine that is gone: its addresses and rules are nobody's. */
export function isAbandoned(host: NetlinkSocket, bridge: string, execRoot: string): boolean {
  const alias = linkAlias(host, bridge)
  return alias.startsWith(PREFIX) && alias !== ownerMark(execRoot) && otherOwner(host, bridge, execRoot) === undefined
}

/**
 * The interface to use: the one that is asked for, else the one of before, else the first that nobody has, and what an
 * engine left behind only where no other is left.
 */
export function chooseInterface(
  host: NetlinkSocket,
  asked: { readonly bridge: string | undefined; readonly execRoot: string },
  before: string | undefined,
): string {
  if (asked.bridge !== undefined) {
    const owner = otherOwner(host, asked.bridge, asked.execRoot)
    if (owner === undefined) return asked.bridge
    throw new DhowError(
      "conflict",
      `The bridge "${asked.bridge}" belongs to the engine with the exec root "${owner}"`,
      {
        hint: "Give this engine another one with --bridge, or none to have one chosen",
      },
    )
  }
  const candidates = Array.from({ length: MOST_ENGINES }, (_, index) => `dhow${index}`)
  if (before !== undefined && candidates.includes(before)) candidates.unshift(before)
  const possible = candidates.filter((name) => otherOwner(host, name, asked.execRoot) === undefined)
  const free = possible.find((name) => !isAbandoned(host, name, asked.execRoot)) ?? possible[0]
  if (free === undefined) throw new DhowError("unavailable", "Every name that a default bridge could have is taken")
  return free
}
