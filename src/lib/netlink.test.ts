import { expect, test } from "bun:test"
import {
  attribute,
  cstr,
  NETLINK_ROUTE,
  NetlinkSocket,
  NLM_F,
  nested,
  readAttributes,
  u16be,
  u32,
  u32be,
} from "./netlink.ts"

const RTM_GETLINK = 18
const IFLA_IFNAME = 3

test("attribute() counts header and payload and pads to four bytes", () => {
  expect([...attribute(3, cstr("lo"))]).toEqual([7, 0, 3, 0, 0x6c, 0x6f, 0, 0])
  expect([...nested(18, attribute(1, Uint8Array.of(9)))]).toEqual([12, 0, 18, 0x80, 5, 0, 1, 0, 9, 0, 0, 0])
})

test("readAttributes() reads what attribute() wrote, and stops at what is cut off", () => {
  const bytes = Buffer.concat([nested(1, u32(7)), attribute(2, u32be(7)), attribute(3, u16be(258))])
  const found = readAttributes(bytes)
  expect([...found].map(([type, value]) => [type, [...value]])).toEqual([
    [1, [7, 0, 0, 0]],
    [2, [0, 0, 0, 7]],
    [3, [1, 2]],
  ])
  expect([...readAttributes(bytes.subarray(0, 18)).keys()]).toEqual([1, 2])
  expect(readAttributes(Buffer.from([2, 0, 1, 0])).size).toBe(0)
})

test("NetlinkSocket.request() answers a question and a dump", () => {
  using socket = new NetlinkSocket(NETLINK_ROUTE)
  const header = Buffer.alloc(16)
  const ask = { type: RTM_GETLINK, flags: NLM_F.ACK, body: [header, attribute(IFLA_IFNAME, cstr("lo"))] }
  const [answer] = socket.request([ask], "lo")
  expect(answer?.body.readInt32LE(4)).toBe(1)
  const all = socket.request([{ type: RTM_GETLINK, flags: NLM_F.DUMP, body: [header] }], "all")
  const names = all.map(({ body }) => readAttributes(body.subarray(16)).get(IFLA_IFNAME)?.toString())
  expect(names).toContain("lo\0")
})

test("NetlinkSocket.request() throws the kernel's error with its name, and goes on afterwards", () => {
  using socket = new NetlinkSocket(NETLINK_ROUTE)
  const ask = (name: string) => ({
    type: RTM_GETLINK,
    flags: NLM_F.ACK,
    body: [Buffer.alloc(16), attribute(IFLA_IFNAME, cstr(name))],
  })
  let error: unknown
  try {
    socket.request([ask("dhow-none"), ask("lo")], "two")
  } catch (caught) {
    error = caught
  }
  expect(error).toMatchObject({ code: "ENODEV" })
  expect(socket.request([ask("lo")], "one").length).toBe(1)
})
