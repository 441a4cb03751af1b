import { describe, expect, test } from "bun:test"
import { callersMap, callersUser, groupsOf } from "./caller.ts"
import { parseMount, parseVolumes } from "./mounts.ts"

const SUDO = { SUDO_UID: "1000", SUDO_GID: "1001", SUDO_USER: "nobody-of-this-name" }
const isRoot = process.getuid?.() === 0

describe("callersMap()", () => {
  test("leaves it to the engine who calls, and every other map as it is", () => {
    expect(callersMap("me", {})).toBe("me")
    expect(callersMap("5:6", SUDO)).toBe("5:6")
    expect(() => callersMap("", {})).toThrow("invalid map ''")
  })

  test.if(isRoot)("is who called sudo where that made it root", () => {
    expect(callersMap("me", SUDO)).toBe("1000:1001")
    expect(callersMap("me", { ...SUDO, SUDO_UID: "x" })).toBe("me")
  })
})

describe("callersUser()", () => {
  test("leaves other users, and the host's without sudo, as they are", () => {
    expect(callersUser("www-data", SUDO)).toEqual({ user: "www-data", groups: [] })
    expect(callersUser("host", {})).toEqual({ user: "host", groups: [] })
  })

  test.if(isRoot)("is who called sudo", () => {
    expect(callersUser("host", SUDO)).toEqual({ user: "1000:1001", groups: [] })
  })
})

describe("groupsOf()", () => {
  test("finds the groups that name a user, without its own and broken lines", () => {
    const file = "root:x:0:\nads:x:7:ann,bob\nann:x:9:ann\nodd:x:y:ann\nbobs:x:8:bob"
    expect(groupsOf({ name: "ann", gid: "9" }, file)).toEqual(["7"])
  })
})

describe("a mount's map", () => {
  test("goes to the engine as it is, colons and all, beside a source made absolute", () => {
    expect(parseVolumes(["/a:/b:ro,map=1000:50", "data:/d:map=uids=0:1:2;gids=0:1:2"]).binds).toEqual([
      "/a:/b:ro,map=1000:50",
      "data:/d:map=uids=0:1:2;gids=0:1:2",
    ])
    expect(parseVolumes([".:/b:map=5"]).binds).toEqual([`${process.cwd()}:/b:map=5`])
    expect(() => parseVolumes(["/a:/b:ro:5"])).toThrow("too many colons")
  })

  test("belongs to binds and volumes, in whatever order it is said", () => {
    expect(parseMount("map=5,type=bind,src=/a,dst=/b")).toEqual({
      Type: "bind",
      Source: "/a",
      Target: "/b",
      BindOptions: { Map: "5" },
    })
    expect(parseMount("src=data,dst=/b,map=5:6,volume-nocopy").VolumeOptions).toMatchObject({
      Map: "5:6",
      NoCopy: true,
    })
    expect(() => parseMount("type=image,src=a,dst=/b,map=5")).toThrow("cannot use 'map' with mount type 'image'")
  })
})
