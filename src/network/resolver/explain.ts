// One name, resolved as a container's program would have it resolved, and told: what, from where, how long, why not.
import { isIP } from "node:net"
import { DhowError } from "../../lib/errors.ts"
import type { Resolution, ResolvedRecord } from "../../wire/resolve.ts"
import { type Asker, type Reply, reply, type Sources } from "./answer.ts"
import { canonicalIpv6 } from "./local.ts"
import { type Query, RCODE, readName, readQuery, TYPE, writeName } from "./packet.ts"
import { rcodeName, typeName } from "./reasons.ts"

export async function explain(sources: Sources, asker: Asker, name: string): Promise<Resolution> {
  const started = performance.now()
  const namespace = sources.names.namespace(asker.key)
  const types = isIP(name) === 0 ? [TYPE.A, TYPE.AAAA] : [TYPE.PTR]
  const asked = isIP(name) === 0 ? name : reverse(name)
  const replies = await Promise.all(types.map(async (type) => await reply(sources, asker, question(asked, type))))
  const best = replies.find(({ why }) => why === "") ?? replies[0]
  if (best === undefined) throw new Error("no reply")
  return {
    Name: name,
    Container: namespace?.container ?? "",
    Networks: (namespace?.endpoints ?? [])
      .filter(({ names }) => names.length > 0)
      .map(({ networkName }) => networkName),
    Status: rcodeName(best.rcode),
    Records: replies.flatMap(records),
    Source: best.network !== "" ? "network" : best.server !== "" ? "server" : "none",
    Network: best.network,
    Holders: [...new Set(best.holders.map(({ container }) => container))],
    Server: best.server,
    Cached: best.cached,
    Milliseconds: Math.round((performance.now() - started) * 1000) / 1000,
    Why: replies.some(({ why }) => why === "") ? "" : best.why,
  }
}

function question(name: string, type: number): Query {
  const written = writeName(name)
  if (written === undefined) throw new DhowError("invalid", `"${name}" is not a name of the DNS`)
  const header = Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0])
  const query = readQuery(Buffer.concat([header, written, Buffer.of(type >> 8, type & 0xff, 0, 1)]))
  if (query === undefined || "rcode" in query) throw new DhowError("invalid", `"${name}" is not a name of the DNS`)
  return query
}

function reverse(address: string): string {
  if (isIP(address) === 4) return `${address.split(".").reverse().join(".")}.in-addr.arpa`
  const [head = "", tail = ""] = canonicalIpv6(address).split("::")
  const groups = (text: string): string[] => (text === "" ? [] : text.split(":"))
  const missing = 8 - groups(head).length - groups(tail).length
  const all = [...groups(head), ...Array.from({ length: missing }, () => "0"), ...groups(tail)]
  const digits = all.map((group) => group.padStart(4, "0")).join("")
  return `${digits.split("").reverse().join(".")}.ip6.arpa`
}

function records({ answer, rcode }: Reply): ResolvedRecord[] {
  if (rcode !== RCODE.NOERROR) return []
  if ("records" in answer)
    return answer.records.flatMap(({ type, ttl, data }) => {
      const packet = Buffer.from(data)
      return record(packet, { type, ttl, data: 0, end: packet.length })
    })
  const { packet, records: spans } = answer.kept
  return spans.flatMap(({ section, type, ttlAt, data, end }) =>
    section === 0 ? record(packet, { type, ttl: Math.max(0, packet.readUInt32BE(ttlAt) - answer.age), data, end }) : [],
  )
}

function record(
  packet: Buffer,
  {
    type,
    ttl,
    data,
    end,
  }: { readonly type: number; readonly ttl: number; readonly data: number; readonly end: number },
): ResolvedRecord[] {
  const value = recordValue(packet, type, { data, end })
  return value === undefined ? [] : [{ Type: typeName(type), Value: value, TTL: ttl }]
}

function recordValue(
  packet: Buffer,
  type: number,
  { data, end }: { readonly data: number; readonly end: number },
): string | undefined {
  if (type === TYPE.A && end - data === 4) return packet.subarray(data, end).join(".")
  if (type === TYPE.AAAA && end - data === 16) {
    const groups = Array.from({ length: 8 }, (_, index) => packet.readUInt16BE(data + index * 2).toString(16))
    return canonicalIpv6(groups.join(":"))
  }
  return type === TYPE.PTR || type === TYPE.CNAME ? readName(packet, data)?.text : undefined
}
