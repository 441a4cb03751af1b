// Nftables: scripts through nft(8) where a table is made, and messages to the kernel for all that is done often.
import { DhowError, errnoName } from "../../lib/errors.ts"
import { attribute, cstr, type NetlinkMessage, type NetlinkSocket, NLM_F, u16be } from "../../lib/netlink.ts"
import { findProgram } from "../programs.ts"

const NFNL_SUBSYS_NFTABLES = 10
const NFNL_MSG_BATCH = { BEGIN: 0x10, END: 0x11 } as const
export const NFT_MSG = { GETTABLE: 1, DELTABLE: 2, NEWSETELEM: 12, DELSETELEM: 14 } as const
export const NFPROTO = { INET: 1, IPV4: 2 } as const
const NFTA_TABLE_NAME = 1

/** All of it or, where something fails, nothing. */
export async function runNft(script: string, what: string): Promise<void> {
  const program = findProgram("nft")
  if (program === undefined)
    throw new DhowError("unavailable", `Cannot make ${what}: nft is not installed`, {
      hint: "Install the package nftables",
    })
  const child = Bun.spawn([program, "-f", "-"], { stdin: Buffer.from(script), stdout: "ignore", stderr: "pipe" })
  const [complaint, status] = await Promise.all([child.stderr.text(), child.exited])
  if (status !== 0) throw new DhowError("internal", `Cannot make ${what}: nft failed: ${complaint.trim()}`)
}

export function nftMessage(
  type: number,
  body: readonly Uint8Array[],
  { family = NFPROTO.INET, flags = 0 }: { readonly family?: number; readonly flags?: number } = {},
): NetlinkMessage {
  const kind = (NFNL_SUBSYS_NFTABLES << 8) | type
  return { type: kind, flags: NLM_F.ACK | flags, body: [generic(family, 0), ...body] }
}

/** In one transaction. */
export function batch(socket: NetlinkSocket, messages: readonly NetlinkMessage[], what: string): void {
  const frame = { flags: 0, body: [generic(0, NFNL_SUBSYS_NFTABLES)] }
  const begin = { ...frame, type: NFNL_MSG_BATCH.BEGIN }
  socket.request([begin, ...messages, { ...frame, type: NFNL_MSG_BATCH.END }], what)
}

export function hasTable(socket: NetlinkSocket, name: string, family: number = NFPROTO.INET): boolean {
  try {
    const get = nftMessage(NFT_MSG.GETTABLE, [attribute(NFTA_TABLE_NAME, cstr(name))], { family })
    socket.request([get], `table "${name}"`)
    return true
  } catch (error) {
    if (errnoName(error) === "ENOENT") return false
    throw error
  }
}

export function removeTable(socket: NetlinkSocket, name: string, family: number = NFPROTO.INET): void {
  const remove = nftMessage(NFT_MSG.DELTABLE, [attribute(NFTA_TABLE_NAME, cstr(name))], { family })
  try {
    batch(socket, [remove], `remove table "${name}"`)
  } catch (error) {
    if (errnoName(error) !== "ENOENT") throw error
  }
}

/** struct nfgenmsg */
function generic(family: number, resource: number): Uint8Array {
  return Uint8Array.of(family, 0, ...u16be(resource))
}
