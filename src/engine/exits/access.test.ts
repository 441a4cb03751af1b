import { describe, expect, test } from "bun:test"
import { accessOf, hostUser, throughMap } from "./access.ts"

const user = (HostUid: number, HostGid = HostUid, Groups: number[] = []) => ({
  Uid: HostUid,
  Gid: HostGid,
  Groups,
  HostUid,
  HostGid,
})
const directory = (uid: number, gid: number, mode: number) => ({ uid, gid, mode, isDirectory: () => true })
const plain = { overrides: false, RW: true }
const may = (...args: Parameters<typeof accessOf>) => {
  const { Readable, Writable } = accessOf(...args)
  return [Readable, Writable]
}

describe("accessOf()", () => {
  test("takes the owner's bits, else the group's, else the others', and never the best of them", () => {
    expect(may(directory(1000, 1000, 0o40755), user(1000), plain)).toEqual([true, true])
    expect(may(directory(0, 0, 0o40755), user(1000), plain)).toEqual([true, false])
    expect(may(directory(0, 50, 0o40770), user(1000, 1000, [50]), plain)).toEqual([true, true])
    expect(may(directory(1000, 0, 0o40077), user(1000), plain)).toEqual([false, false])
  })

  test("needs to be let into a directory", () => {
    expect(may(directory(0, 0, 0o40706), user(1000), plain)).toEqual([false, false])
    expect(may({ ...directory(0, 0, 0o100606), isDirectory: () => false }, user(1000), plain)).toEqual([true, true])
  })

  test("lets a capability pass, but not through a read-only mount", () => {
    expect(may(directory(1000, 1000, 0o40700), user(0), { overrides: true, RW: true })).toEqual([true, true])
    expect(may(directory(1000, 1000, 0o40700), user(0), { overrides: true, RW: false })).toEqual([true, false])
  })
})

describe("hostUser()", () => {
  const process = { user: { uid: 5, gid: 6, additionalGids: [7] } }
  const of = (linux: object) => hostUser({ process, linux } as unknown as Parameters<typeof hostUser>[0])

  test("is the same number without a user namespace", () => {
    expect(of({})).toMatchObject({ Uid: 5, HostUid: 5, HostGid: 6, Groups: [7] })
  })

  test("follows the mappings, and is nobody outside of them", () => {
    const mapping = (containerID: number, hostID: number, size: number) => [{ containerID, hostID, size }]
    expect(of({ uidMappings: mapping(0, 100_000, 10), gidMappings: mapping(0, 200_000, 3) })).toMatchObject({
      HostUid: 100_005,
      HostGid: 65_534,
    })
  })
})

describe("throughMap()", () => {
  const ranges = { uids: [{ container: 33, host: 1000, size: 1 }], gids: [{ container: 33, host: 1001, size: 2 }] }
  const seen = (uid: number, overrides = false) =>
    throughMap({ user: { Uid: uid, Gid: uid, Groups: [uid, 34, 5], HostUid: uid, HostGid: uid }, overrides }, ranges)

  test("makes of a user who it is on the disk, with the groups that are mapped", () => {
    const { user: who, numbers } = seen(33)
    expect(numbers).toEqual({ AsUid: 1000, AsGid: 1001 })
    expect(may(directory(1000, 0, 0o40700), who, plain)).toEqual([true, true])
    expect(may(directory(7, 1002, 0o40070), who, plain)).toEqual([true, true])
    expect(may(directory(33, 33, 0o40770), who, plain)).toEqual([false, false])
  })

  test("makes root nobody, whose capability passes over mapped files alone", () => {
    const { user: who, numbers, overrides } = seen(0, true)
    expect(numbers).toEqual({})
    expect(may(directory(0, 0, 0o40770), who, plain)).toEqual([false, false])
    expect(overrides({ uid: 0, gid: 0 })).toBe(false)
    expect(overrides({ uid: 1000, gid: 1002 })).toBe(true)
  })
})
