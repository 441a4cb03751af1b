// What a layer's archive means, for every snapshotter: whiteouts, metadata, and that a hostile one stays contained.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { lstatSync, mkdirSync, readdirSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { isKind } from "../../src/lib/errors.ts"
import type { TarInput } from "../../src/lib/tar/writer.ts"
import type { Snapshotter } from "../../src/snapshot/contract.ts"
import { directory, Fixture, file, type OpenSnapshotter } from "./fixture.ts"

export function layerContract(name: string, open: OpenSnapshotter): void {
  describe(`layers of snapshotter ${name}`, () => {
    let fixture: Fixture
    let root: string
    let target: string
    let snapshotter: Snapshotter

    beforeEach(() => {
      fixture = new Fixture(open)
      ;({ root, target, snapshotter } = fixture)
    })

    afterEach(() => fixture[Symbol.asyncDispose]())

    test("whiteouts hide files and directories of lower layers, wherever they stand in the archive", async () => {
      const low = await fixture.layer([
        file("file", "low"),
        directory("dir"),
        file("dir/x", "low"),
        file("opaque/x", "low"),
      ])
      const again = [file("dir/y", "high"), { path: ".wh.dir", type: "file" } as const]
      for (const order of [again, again.toReversed()]) {
        const high = await fixture.layer([
          ...order,
          { path: ".wh.file", type: "file" },
          file("opaque/y", "high"),
          { path: "opaque/.wh..wh..opq", type: "file" },
          { path: ".wh..wh.plnk", type: "directory" },
          { path: ".wh.never-was", type: "file" },
        ])
        snapshotter.prepare("one", [low, high])
        snapshotter.mount("one", target)
        expect(readdirSync(target).sort()).toEqual(["dir", "opaque"])
        expect(readdirSync(join(target, "dir"))).toEqual(["y"])
        expect(readdirSync(join(target, "opaque"))).toEqual(["y"])
        snapshotter.unmount(target)
        await snapshotter.remove("one")
      }
    })

    test("owners, modes, times, links, devices and attributes are those of the archive", async () => {
      const capability = Buffer.from("0100000200040000000000000000000000000000", "hex")
      const layers = [
        await fixture.layer([
          directory("./", { mode: 0o1750, uid: 5, gid: 6 }),
          file("setuid", "x", { mode: 0o4755, uid: 7, gid: 8, mtime: -5, mtimeNanoseconds: 123_456_789 }),
          directory("setgid", { mode: 0o2775, gid: 50, mtime: 1_700_000_000, mtimeNanoseconds: 7 }),
          file("setgid/in", "x", { mode: 0o600 }),
          { path: "setgid/in-again", type: "hardlink", linkPath: "setgid/in" },
          { path: "link", type: "symlink", linkPath: "/etc/nowhere", uid: 9, mtime: 3 },
          { path: "null", type: "character-device", device: { major: 1, minor: 3 }, mode: 0o666 },
          { path: "disk", type: "block-device", device: { major: 259, minor: 300 }, mode: 0o660 },
          { path: "pipe", type: "fifo", mode: 0o622 },
          file("ping", "x", { xattrs: new Map([["security.capability", capability]]) }),
        ]),
      ]
      snapshotter.prepare("one", layers)
      snapshotter.mount("one", target)
      const of = (path: string) => {
        const { mode, uid, gid, mtimeNs, nlink, rdev } = lstatSync(join(target, path), { bigint: true })
        return { mode: Number(mode).toString(8), uid: Number(uid), gid: Number(gid), mtimeNs, nlink, rdev }
      }
      expect(of(".")).toMatchObject({ mode: "41750", uid: 5, gid: 6 })
      expect(of("setuid")).toMatchObject({ mode: "104755", uid: 7, gid: 8, mtimeNs: -4_876_543_211n })
      expect(of("setgid")).toMatchObject({ mode: "42775", gid: 50, mtimeNs: 1_700_000_000_000_000_007n })
      expect(of("setgid/in")).toMatchObject({ mode: "100600", gid: 0, nlink: 2n })
      expect(of("link")).toMatchObject({ uid: 9, mtimeNs: 3_000_000_000n })
      expect(readlinkSync(join(target, "link"))).toBe("/etc/nowhere")
      expect(of("null")).toMatchObject({ mode: "20666", rdev: 0x103n })
      expect(of("disk")).toMatchObject({ mode: "60660", rdev: (259n << 8n) | 0x10002cn })
      expect(of("pipe")).toMatchObject({ mode: "10622" })
      const seen = Bun.spawnSync(["getcap", join(target, "ping")]).stdout.toString()
      if (Bun.which("getcap") !== null) expect(seen).toContain("ping")
    })

    test("a hostile archive is contained in its layer or refused, and leaves nothing outside", async () => {
      const outside = join(root, "outside")
      mkdirSync(outside)
      writeFileSync(join(outside, "kept"), "kept")
      const contained = await fixture.layer([
        file("../../up", "x"),
        file(`/${outside}/absolute`, "x"),
        { path: "escape", type: "symlink", linkPath: outside },
        { path: "up-link", type: "symlink", linkPath: "../../../../../.." },
        file("up-link/through-up", "x"),
        { path: "inside", type: "symlink", linkPath: "real" },
        directory("real"),
        file("inside/through", "x"),
        file("over", "first"),
        file("over", "second"),
        directory("over-directory/below"),
        { path: "over-directory", type: "symlink", linkPath: outside },
      ])
      snapshotter.prepare("one", [contained])
      snapshotter.mount("one", target)
      expect(fixture.read("real/through")).toBe("x")
      expect(fixture.read("up")).toBe("x")
      expect(fixture.read("through-up")).toBe("x")
      expect(fixture.read("over")).toBe("second")
      expect(fixture.read(`${outside}/absolute`)).toBe("x")
      expect(readdirSync(outside)).toEqual(["kept"])

      const refused: readonly (readonly TarInput[])[] = [
        [{ path: "h", type: "hardlink", linkPath: "/etc/passwd" }],
        [{ path: "h", type: "hardlink", linkPath: `${outside}/kept` }],
        [{ path: "s", type: "symlink", linkPath: "/nowhere/at/all" }, file("s/x", "x")],
        [file("f", "x"), file("f/x", "x")],
        [{ path: ".", type: "symlink", linkPath: outside }],
        [{ path: ".wh...", type: "file" }],
        [file(`${"long".repeat(50)}/`.repeat(25), "x")],
        [file("n".repeat(256), "x")],
      ]
      for (const entries of refused) {
        const { diffId, path } = await fixture.archive(entries)
        const error = await snapshotter.addLayer(diffId, path).catch((error: unknown) => error)
        expect([isKind(error, "invalid"), entries[0]?.path]).toEqual([true, entries[0]?.path])
        expect(snapshotter.hasLayer(diffId)).toBe(false)
      }
      expect(readdirSync(outside)).toEqual(["kept"])
      expect(snapshotter.sweep()).toEqual([])
    })

    test("a layer cannot speak to overlayfs through attributes", async () => {
      const redirect = new Map([["trusted.overlay.redirect", Buffer.from("/secret")]])
      const low = await fixture.layer([file("secret/a", "x")])
      const high = await fixture.layer([directory("open", { xattrs: redirect })])
      snapshotter.prepare("one", [low, high])
      snapshotter.mount("one", target)
      expect(readdirSync(join(target, "open"))).toEqual([])
    })
  })
}
