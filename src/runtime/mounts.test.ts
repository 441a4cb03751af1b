import { expect, test } from "bun:test"
import { specInput } from "./fixtures.ts"
import { containerMounts, tmpfsMount, tmpfsOfMount } from "./mounts.ts"

const bind = (destination: string) => ({ destination, type: "bind", source: "/host", options: ["rbind"] })
const places = (...changes: Parameters<typeof specInput>): string[] =>
  containerMounts(specInput(...changes), false).mounts.map((mount) => mount.destination)

test("containerMounts() puts parents before children and keeps the order of equals", () => {
  const found = places({ mounts: [bind("/a/b/c"), bind("/z"), bind("/a")] })
  expect(found.slice(-3)).toEqual(["/z", "/a", "/a/b/c"])
})

test("containerMounts() lets a user's mount replace a default, and /dev all below it", () => {
  expect(places({ mounts: [bind("/sys/fs/cgroup")] }).filter((place) => place === "/sys/fs/cgroup")).toHaveLength(1)
  const ownDev = places({ mounts: [bind("/dev")] })
  expect(ownDev.filter((place) => place.startsWith("/dev"))).toEqual(["/dev"])
})

test("containerMounts() puts the init outside a /dev of the user's", () => {
  expect(containerMounts(specInput({ mounts: [bind("/dev")], init: "/i" }), false).initPath).toBe("/sbin/docker-init")
})

test("containerMounts() shares /dev/shm with the IPC namespace", () => {
  const shm = (...changes: Parameters<typeof specInput>) =>
    containerMounts(specInput(...changes), false).mounts.filter((mount) => mount.destination === "/dev/shm")
  expect(shm({ ipc: "host" })).toEqual([
    { destination: "/dev/shm", type: "bind", source: "/dev/shm", options: ["rbind", "rprivate"] },
  ])
  expect(shm({ hostConfig: { IpcMode: "none" } })).toEqual([])
  expect(shm({ hostConfig: { ShmSize: 1024 } })[0]?.options).toContain("size=1024")
})

test("tmpfsMount() lets later options win over earlier and over the defaults", () => {
  expect(tmpfsMount("/t", "rw,exec,size=1k,size=2k").options).toEqual([
    "nosuid",
    "nodev",
    "rprivate",
    "rw",
    "exec",
    "size=2k",
  ])
  expect(tmpfsMount("/t", "").options).toEqual(["noexec", "nosuid", "nodev", "rprivate"])
  for (const [options, words] of [
    ["bogus", '["bogus"]'],
    ["bogus=1", '["bogus" "1"]'],
    ["size", '["size"]'],
    ["size=1k,", '[""]'],
  ] as const)
    expect(() => tmpfsMount("/t", options)).toThrow(`invalid tmpfs option ${words}`)
  const all = "mode=700,uid=1,gid=2,nr_inodes=9,nr_blocks=8,mpol=prefer:0,sync,noatime,nodiratime,dirsync,ro"
  expect(tmpfsMount("/t", all).options).toEqual(["noexec", "nosuid", "nodev", "rprivate", ...all.split(",")])
  expect(tmpfsMount("/t", "shared,defaults,rslave").options).toEqual(["noexec", "nosuid", "nodev", "rslave"])
})

test("tmpfsOfMount() reads size, mode and options", () => {
  const mount = { Type: "tmpfs" as const, Target: "/t", ReadOnly: true }
  expect(
    tmpfsOfMount({ ...mount, TmpfsOptions: { SizeBytes: 4096, Mode: 0o700, Options: [["exec"]] } }).options,
  ).toEqual(["nosuid", "nodev", "rprivate", "ro", "mode=700", "size=4096", "exec"])
})
