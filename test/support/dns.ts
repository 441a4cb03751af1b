// A DNS client and a name server for tests, both inside the network namespace of a process. They read and write packets
// with code of their own, so that what they say of the resolver's is a second opinion.
import { inNetworkNamespace } from "../../src/lib/syscalls/mount.ts"

const TYPES: Readonly<Record<string, number>> = { A: 1, PTR: 12, MX: 15, TXT: 16, AAAA: 28 }
const STATUS = ["NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED"]

export type Asked = {
  readonly name: string
  readonly type: string
  readonly tcp: boolean
  readonly server: string
  readonly milliseconds: number
}

export type Told = {
  readonly status: string
  readonly values: string[]
  readonly ttl: number
  readonly truncated: boolean
  /** The text of an Extended DNS Error. */
  readonly why: string
}

/** With EDNS, so that the answer can say why. */
export function question(name: string, type: string): Buffer {
  const labels = name.split(".").flatMap((label) => [Buffer.of(label.length), Buffer.from(label)])
  const number = TYPES[type] ?? Number(type)
  return Buffer.concat([
    Buffer.from([0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1]),
    ...labels,
    Buffer.from([0, number >> 8, number & 255, 0, 1]),
    Buffer.from([0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]),
  ])
}

export async function ask(pid: number, asked: Partial<Asked> & Pick<Asked, "name" | "type">): Promise<Told> {
  const { name, type, ...how } = asked
  const packet = await send(pid, question(name, type), how)
  return read(packet)
}

/** Throws where nothing comes. */
export async function send(
  pid: number,
  message: Buffer,
  { tcp = false, server = "127.0.0.11", milliseconds = 8000 } = {},
): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  const timer = setTimeout(() => reject(new Error("no answer")), milliseconds)
  const inside = <T>(body: () => T): T => inNetworkNamespace(`/proc/${pid}/ns/net`, body)
  const address = { hostname: server, port: 53 }
  try {
    if (tcp) {
      let got = Buffer.alloc(0)
      const socket = await inside(() =>
        Bun.connect({
          ...address,
          socket: {
            open: (own) =>
              void own.write(Buffer.concat([Buffer.of(message.length >> 8, message.length & 255), message])),
            data: (_own, bytes) => {
              got = Buffer.concat([got, bytes])
              if (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) resolve(got.subarray(2))
            },
            close: () => reject(new Error("closed without an answer")),
          },
        }),
      )
      return await promise.finally(() => socket.terminate())
    }
    const socket = await inside(() =>
      Bun.udpSocket({
        connect: address,
        socket: { data: (_own, bytes) => resolve(Buffer.from(bytes)), error: () => reject(new Error("refused")) },
      }),
    )
    socket.send(message)
    return await promise.finally(() => socket.close())
  } finally {
    clearTimeout(timer)
  }
}

export function read(packet: Buffer): Told {
  const [flags, questions, answers, authorities, additional] = [2, 4, 6, 8, 10].map((at) => packet.readUInt16BE(at))
  let at = 12
  for (let left = questions!; left > 0; left--) at = readName(packet, at).end + 4
  const values: string[] = []
  let ttl = 0
  let why = ""
  for (let index = 0; index < answers! + authorities! + additional!; index++) {
    const head = readName(packet, at).end
    const type = packet.readUInt16BE(head)
    const [start, length] = [head + 10, packet.readUInt16BE(head + 8)]
    if (index < answers!) ttl = packet.readUInt32BE(head + 4)
    if (index < answers! && type === 1) values.push(packet.subarray(start, start + 4).join("."))
    if (index < answers! && type === 28) values.push(address6(packet.subarray(start, start + 16)))
    if (index < answers! && type === 12) values.push(readName(packet, start).name)
    for (let option = start; type === 41 && option < start + length; option += 4 + packet.readUInt16BE(option + 2))
      if (packet.readUInt16BE(option) === 15)
        why = packet.toString("utf8", option + 6, option + 4 + packet.readUInt16BE(option + 2))
    at = start + length
  }
  return { status: STATUS[flags! & 15] ?? "?", values, ttl, truncated: (flags! & 0x200) !== 0, why }
}

function address6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16))
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1)
}

function readName(packet: Buffer, at: number): { name: string; end: number } {
  const labels: string[] = []
  let end = 0
  while (packet[at] !== 0) {
    const size = packet[at]!
    if (size >= 0xc0) {
      end ||= at + 2
      at = packet.readUInt16BE(at) & 0x3fff
      continue
    }
    labels.push(packet.toString("latin1", at + 1, at + 1 + size))
    at += size + 1
  }
  return { name: labels.join("."), end: end || at + 1 }
}

/** Knows example.test and long.test, and no other name. */
export async function nameServer(pid: number, address: string): Promise<{ readonly asked: string[]; close(): void }> {
  const asked: string[] = []
  const answer = (query: Buffer, limit: number): Buffer => {
    const { name, end } = readName(query, 12)
    asked.push(name)
    const known = { "example.test": 1, "long.test": 100 }[name.toLowerCase()]
    const count = known !== undefined && query.readUInt16BE(end) === 1 ? known : 0
    const records = Array.from({ length: count }, (_, index) =>
      Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 203, 0, 113, 7 + index]),
    )
    const head = Buffer.from(query.subarray(0, end + 4))
    const whole = head.length + 16 * count <= limit
    head.writeUInt16BE(0x8180 | (known === undefined ? 3 : 0) | (whole ? 0 : 0x200), 2)
    head.writeUInt16BE(whole ? count : 0, 6)
    head.writeUInt32BE(0, 8)
    return Buffer.concat(whole ? [head, ...records] : [head])
  }
  const making = inNetworkNamespace(`/proc/${pid}/ns/net`, () => ({
    tcp: Bun.listen({
      hostname: address,
      port: 53,
      socket: {
        data: (socket, bytes) => {
          const packet = answer(Buffer.from(bytes.subarray(2)), 65_535)
          socket.write(Buffer.concat([Buffer.of(packet.length >> 8, packet.length & 255), packet]))
        },
      },
    }),
    udp: Bun.udpSocket({
      hostname: address,
      port: 53,
      socket: { data: (socket, bytes, port, from) => void socket.send(answer(Buffer.from(bytes), 512), port, from) },
    }),
  }))
  const udp = await making.udp
  return {
    asked,
    close: () => {
      udp.close()
      making.tcp.stop(true)
    },
  }
}
