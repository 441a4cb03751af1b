import { describe, expect, test } from "bun:test"
import { chosenMap, defaultOwner, outside, parseMountMap, rangesOf, withChosenMap } from "./mount-map.ts"
import { ownerOutside } from "./mount-owners.ts"
import { parseBind, parseMount, parseVolumesFrom } from "./mount-specs.ts"

const caller = { uid: 1000, gid: 1001, groups: [] }

describe("chosenMap()", () => {
  test("names the caller, and keeps what is a number already", () => {
    expect(chosenMap("me", caller)).toBe("1000:1001")
    expect(chosenMap("5", undefined)).toBe("5")
    expect(() => chosenMap("me", undefined)).toThrow("only on a unix socket")
    const mount = { Type: "volume", Target: "/x", VolumeOptions: { NoCopy: true, Map: "me" } } as const
    expect(withChosenMap(mount, () => caller).VolumeOptions).toEqual({ NoCopy: true, Map: "1000:1001" })
  })
})

describe("parseMountMap()", () => {
  test("reads an owner, whose group is of the same number where none is said", () => {
    expect(parseMountMap("1000:50")).toEqual({ kind: "owner", uid: 1000, gid: 50 })
    expect(parseMountMap("0")).toEqual({ kind: "owner", uid: 0, gid: 0 })
  })

  test("reads ranges, for groups the users' where none are said", () => {
    const [one, two] = [
      { container: 0, host: 1000, size: 1 },
      { container: 1, host: 100_000, size: 65_535 },
    ]
    expect(parseMountMap("uids=0:1000:1;uids=1:100000:65535")).toEqual({
      kind: "ranges",
      uids: [one, two],
      gids: [one, two],
    })
    expect(parseMountMap("uids=0:1000:1;gids=1:100000:65535")).toMatchObject({ uids: [one], gids: [two] })
  })

  test.each([
    ["", "neither an owner nor ranges"],
    ["you", "neither an owner nor ranges"],
    ["-1:5", "neither an owner nor ranges"],
    ["1:2:3", "neither an owner nor ranges"],
    ["4294967295", "4294967295 is no id"],
    ["99999999999999999999999", "is no id"],
    ["uids=0:0:0", "is empty"],
    ["uids=5:4294967290:10", "is too long"],
    ["uids=0:0:5;uids=4:9:1", "has ids inside that another range has"],
    ["uids=0:0:5;uids=9:4:1", "has ids outside that another range has"],
    ["gids=0:0:5", "it has no uids"],
    ["uids=0:0:5;", '"" is no range'],
    ["uids=0:0:5;groups=0:0:1", '"groups=0:0:1" is no range'],
    [Array.from({ length: 341 }, (_, at) => `uids=${at * 2}:${at * 2}:1`).join(";"), "more than 340 ranges"],
  ])("refuses %p", (text, why) => {
    expect(() => parseMountMap(text)).toThrow(why)
  })
})

describe("rangesOf()", () => {
  test("maps the container's user alone to an owner", () => {
    const ranges = rangesOf(parseMountMap("1000:1001"), { uid: 33, gid: 34 })
    expect(ranges.uids).toEqual([{ container: 33, host: 1000, size: 1 }])
    expect(outside(33, ranges.uids)).toBe(1000)
    expect(outside(0, ranges.uids)).toBeUndefined()
    expect(defaultOwner(ranges)).toEqual({ uid: 1000, gid: 1001 })
    // What the image has of root's is the caller's, too: nothing there is to be root's outside.
    expect(ownerOutside({ uid: 0, gid: 0 }, ranges)).toEqual({ uid: 1000, gid: 1001 })
  })
})

describe("a bind with a map", () => {
  test("may have colons in it, and other words beside", () => {
    expect(parseBind("/a:/b:ro,z,map=1000:50")).toMatchObject({
      readOnly: true,
      map: "1000:50",
      mode: "ro,z,map=1000:50",
    })
    expect(parseBind("data:/b:nocopy,map=uids=0:1:2;gids=0:1:2")).toMatchObject({ map: "uids=0:1:2;gids=0:1:2" })
    expect(parseBind("/a:/b:map=me,rprivate")).toMatchObject({ map: "me", propagation: "rprivate" })
  })

  test.each(["/a:/b:map=", "/a:/b:map=1,map=2", "/a:/b:maps=1", "/a:/b:ro:x", "/a:map=5"])("refuses %p", (text) => {
    expect(() => parseBind(text)).toThrow()
  })

  test("is private", () => {
    expect(() => parseBind("/a:/b:map=5,rshared")).toThrow("conflicting options")
    const mount = { Type: "bind", Source: "/a", Target: "/b" } as const
    expect(() => parseMount({ ...mount, BindOptions: { Propagation: "slave", Map: "5" } })).toThrow(
      "conflicting options",
    )
    expect(() => parseVolumesFrom("other:map=5")).toThrow("invalid mode")
  })
})
