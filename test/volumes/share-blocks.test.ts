// Copies of trees on a file system whose files can share blocks: nothing is copied there that need not be.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statfsSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { attachLoop } from "../../src/lib/syscalls/loop.ts"
import { mount, unmountAll } from "../../src/lib/syscalls/mount.ts"
import type { TreeTotals } from "../../src/snapshot/copies.ts"
import { processLines } from "../../src/snapshot/tree-process.ts"

const mkfs = Bun.which("mkfs.btrfs", { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` })
const hasBtrfs = readFileSync("/proc/filesystems", "utf8").includes("btrfs")
const MAIN = join(import.meta.dir, "../../src/main.ts")

test.skipIf(mkfs === null || !hasBtrfs)(
  "a copy shares the blocks of large files, and changes alone (needs btrfs-progs)",
  async () => {
    const disk = join(root, "disk")
    writeFileSync(disk, "")
    truncateSync(disk, 200 << 20)
    Bun.spawnSync([mkfs ?? "", "-q", disk])
    const place = join(root, "place")
    mkdirSync(place)
    using device = attachLoop(disk, { writable: true })
    mount(device.path, place, { type: "btrfs" })
    mkdirSync(join(place, "from"))
    mkdirSync(join(place, "to"))
    const bytes = new Uint8Array(40 << 20).map((_, index) => index * 7)
    writeFileSync(join(place, "from/large"), bytes)
    Bun.spawnSync(["sync", "-f", place])
    const free = (): number => statfsSync(place).bfree * statfsSync(place).bsize
    const before = free()

    let last: TreeTotals | undefined
    const request = JSON.stringify({ from: join(place, "from"), to: join(place, "to") })
    for await (const totals of processLines<TreeTotals>([process.execPath, MAIN, "internal", "copy-tree", request]))
      last = totals
    expect(last).toEqual({ files: 1, bytes: bytes.length, shared: bytes.length })
    Bun.spawnSync(["sync", "-f", place])
    expect(before - free()).toBeLessThan(bytes.length / 4)

    writeFileSync(join(place, "to/large"), "other")
    expect(Buffer.compare(readFileSync(join(place, "from/large")), bytes)).toBe(0)
  },
)

let root = ""
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dhow-share-"))
})
afterAll(() => {
  unmountAll(join(root, "place"))
  rmSync(root, { recursive: true, force: true })
})
