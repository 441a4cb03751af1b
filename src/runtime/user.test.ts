import { expect, test } from "bun:test"
import { lookUpUser } from "./user.ts"

const PASSWD =
  "# comment\nroot:x:0:0:root:/root:/bin/sh\nweb:x:1000:1001::/srv:/bin/sh\nbroken\nnum:x:notanumber:0::/:\n"
const GROUP = "root:x:0:\nweb:x:1001:\nextra:x:1500:other, web\nstaff:x:50:web\n"
const find = (user: string, groupAdd: readonly string[] = []) => lookUpUser({ user, groupAdd }, PASSWD, () => GROUP)

test("lookUpUser() without a user is root", () => {
  expect(find("")).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/root" })
  expect(lookUpUser({ user: "", groupAdd: [] }, "", () => "")).toEqual({
    uid: 0,
    gid: 0,
    additionalGids: [0],
    home: "/",
  })
})

test("lookUpUser() by name or number brings group, supplementary groups and home", () => {
  const web = { uid: 1000, gid: 1001, additionalGids: [1001, 1500, 50], home: "/srv" }
  expect(find("web")).toEqual(web)
  expect(find("1000")).toEqual(web)
})

test("lookUpUser() with a group takes that and no supplementary ones", () => {
  expect(find("web:staff")).toEqual({ uid: 1000, gid: 50, additionalGids: [50], home: "/srv" })
  expect(find("web:7")).toMatchObject({ gid: 7, additionalGids: [7] })
  expect(find("4242:4343")).toEqual({ uid: 4242, gid: 4343, additionalGids: [4343], home: "/" })
})

test("lookUpUser() adds groups by name and number", () => {
  expect(find("web:0", ["staff", "77"]).additionalGids).toEqual([0, 50, 77])
})

test("lookUpUser() says what is missing in Docker's words", () => {
  expect(() => find("nobody")).toThrow("unable to find user nobody: no matching entries in passwd file")
  expect(() => find("web:none")).toThrow("unable to find group none: no matching entries in group file")
  expect(() => find("", ["none"])).toThrow("Unable to find group none: no matching entries in group file")
  expect(() => find("99999999999")).toThrow("uids and gids must be in range 0-2147483647")
})
