import { expect, test } from "bun:test"
import { MS } from "../../lib/syscalls/mount.ts"
import { MOUNT_ATTR } from "../../lib/syscalls/mount-tree.ts"
import { treeOptions } from "./attributes.ts"

test("treeOptions() tells what is on the mount itself from what is on all below it", () => {
  expect(treeOptions(["rbind", "ro", "rprivate"])).toMatchObject({
    recursive: true,
    set: MOUNT_ATTR.RDONLY,
    setBelow: 0,
    propagation: MS.PRIVATE,
    propagationBelow: true,
  })
  expect(treeOptions(["bind", "rro", "slave"])).toMatchObject({
    recursive: false,
    set: 0,
    setBelow: MOUNT_ATTR.RDONLY,
    propagation: MS.SLAVE,
    propagationBelow: false,
  })
})

test("treeOptions() reads the parameters of a file system in memory", () => {
  expect(treeOptions(["noexec", "nosuid", "nodev", "rw", "size=1m", "mode=700"])).toMatchObject({
    set: MOUNT_ATTR.NOEXEC | MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV,
    parameters: [
      ["size", "1m"],
      ["mode", "700"],
    ],
  })
})

test("treeOptions() has the last word about access times, and refuses what it does not know", () => {
  expect(treeOptions(["noatime", "relatime"])).toMatchObject({ set: 0, clear: MOUNT_ATTR.ATIME })
  expect(() => treeOptions(["context=x"])).toThrow('Mount option "context=x" cannot be given to a container that runs')
})
