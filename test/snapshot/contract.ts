// What every snapshotter must do, as a function that each implementation's test calls. Needs root: it mounts for real.
import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test"
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { isKind } from "../../src/lib/errors.ts"
import { type TarInput, writeTar } from "../../src/lib/tar/writer.ts"
import { type Digest, digestOf } from "../../src/oci/digest.ts"
import type { Snapshotter } from "../../src/snapshot/contract.ts"
import { Database } from "../../src/state/database.ts"

// A layer is made durable behind the caller's back, which may hold the disk for a while.
setDefaultTimeout(60_000)

export type OpenSnapshotter = (database: Database, directory: string) => Snapshotter

const file = (path: string, text: string, more: Partial<TarInput> = {}): TarInput => ({
  path,
  type: "file",
  content: Buffer.from(text),
  ...more,
})
const directory = (path: string, more: Partial<TarInput> = {}): TarInput => ({ path, type: "directory", ...more })

/** Files of what was removed go behind the caller's back. */
export async function trashIsEmpty(snapshots: string): Promise<void> {
  const deadline = Date.now() + 20_000
  while (readdirSync(join(snapshots, ".trash")).length > 0 && Date.now() < deadline) await Bun.sleep(2)
  expect(readdirSync(join(snapshots, ".trash"))).toEqual([])
}

export function snapshotterContract(name: string, open: OpenSnapshotter): void {
  describe(`snapshotter ${name}`, () => {
    let root: string
    let target: string
    let database: Database
    let snapshotter: Snapshotter

    beforeEach(() => {
      root = mkdtempSync(join(tmpdir(), "dhow-snapshot-"))
      target = join(root, "target")
      mkdirSync(target)
      database = Database.open(join(root, "dhow.db"))
      snapshotter = open(database, join(root, "snapshots"))
    })

    afterEach(async () => {
      snapshotter.unmount(target)
      await trashIsEmpty(join(root, "snapshots"))
      database.close()
      rmSync(root, { recursive: true, force: true })
    })

    async function archive(entries: readonly TarInput[]): Promise<{ diffId: Digest; path: string }> {
      const parts: Uint8Array[] = []
      for await (const chunk of writeTar(entries)) parts.push(chunk)
      const bytes = Buffer.concat(parts)
      const diffId = digestOf(bytes)
      const path = join(root, `${diffId.slice(7, 19)}.tar`)
      writeFileSync(path, bytes)
      return { diffId, path }
    }

    async function layer(entries: readonly TarInput[]): Promise<Digest> {
      const { diffId, path } = await archive(entries)
      await snapshotter.addLayer(diffId, path)
      return diffId
    }

    const read = (path: string): string => readFileSync(join(target, path), "utf8")

    test("addLayer() is idempotent, also when called twice at once", async () => {
      const { diffId, path } = await archive([file("a", "1234"), file("b", "56")])
      const [one, two] = await Promise.all([snapshotter.addLayer(diffId, path), snapshotter.addLayer(diffId, path)])
      expect(one).toEqual({ size: 6, files: 2 })
      expect(two).toEqual(one)
      expect(await snapshotter.addLayer(diffId, "/nowhere")).toEqual(one)
      expect(snapshotter.hasLayer(diffId)).toBe(true)
      expect(snapshotter.layerSize(diffId)).toBe(6)
      expect(snapshotter.sweep()).toEqual([])
    })

    test("addLayer() of a damaged archive says invalid and leaves nothing", async () => {
      const path = join(root, "damaged.tar")
      writeFileSync(path, Buffer.alloc(2048, 7))
      const error = await snapshotter.addLayer(digestOf("damaged"), path).catch((error: unknown) => error)
      expect(isKind(error, "invalid")).toBe(true)
      expect(snapshotter.hasLayer(digestOf("damaged"))).toBe(false)
      expect(snapshotter.sweep()).toEqual([])
    })

    test("addLayer() that is cancelled says so and leaves nothing", async () => {
      const { diffId, path } = await archive([file("a", "1")])
      const before = await snapshotter.addLayer(diffId, path, AbortSignal.abort()).catch((error: unknown) => error)
      const during = await snapshotter.addLayer(diffId, path, AbortSignal.timeout(1)).catch((error: unknown) => error)
      expect(isKind(before, "cancelled")).toBe(true)
      expect(isKind(during, "cancelled")).toBe(true)
      expect(snapshotter.sweep()).toEqual([])
      expect(await snapshotter.addLayer(diffId, path)).toEqual({ size: 1, files: 1 })
    })

    test("mount() shows the layers, the highest first, and what was written survives an unmount", async () => {
      const layers = [await layer([file("a", "low"), file("b", "low")]), await layer([file("b", "high")])]
      snapshotter.prepare("one", layers)
      snapshotter.mount("one", target)
      expect([read("a"), read("b")]).toEqual(["low", "high"])
      writeFileSync(join(target, "a"), "written")
      snapshotter.unmount(target)
      expect(readdirSync(target)).toEqual([])
      snapshotter.mount("one", target)
      expect(read("a")).toBe("written")
      expect(await snapshotter.usage("one")).toBe(7)
      expect(readFileSync(join(snapshotter.paths("one").upper, "a"), "utf8")).toBe("written")
    })

    test("two snapshots of the same layers do not see one another", async () => {
      const layers = [await layer([file("a", "low")])]
      snapshotter.prepare("one", layers)
      snapshotter.prepare("two", layers)
      snapshotter.mount("one", target)
      writeFileSync(join(target, "a"), "one")
      snapshotter.unmount(target)
      snapshotter.mount("two", target)
      expect(read("a")).toBe("low")
    })

    test("prepare() works without layers, and with the same layer twice", async () => {
      snapshotter.prepare("empty", [])
      snapshotter.mount("empty", target)
      writeFileSync(join(target, "a"), "1")
      snapshotter.unmount(target)
      const same = await layer([file("a", "same")])
      const other = await layer([{ path: ".wh.a", type: "file" }])
      snapshotter.prepare("twice", [same, other, same])
      snapshotter.mount("twice", target)
      expect(read("a")).toBe("same")
    })

    test("prepare() refuses a key that exists, a bad key and a layer that is not there", async () => {
      snapshotter.prepare("one", [])
      const kinds = (
        [
          ["one", [], "conflict"],
          ["../one", [], "invalid"],
          ["", [], "invalid"],
          ["two", [digestOf("none")], "not-found"],
        ] as const
      ).map(([key, layers, kind]) => {
        try {
          snapshotter.prepare(key, layers)
        } catch (error) {
          return isKind(error, kind)
        }
        return false
      })
      expect(kinds).toEqual([true, true, true, true])
      expect(() => snapshotter.mount("none", target)).toThrow('No snapshot "none"')
    })

    test("a hundred layers can be mounted", async () => {
      const layers: Digest[] = []
      for (let n = 0; n < 100; n++) layers.push(await layer([file(`f${n}`, "x"), file("last", String(n))]))
      snapshotter.prepare("many", layers)
      snapshotter.mount("many", target)
      expect(readdirSync(target)).toHaveLength(101)
      expect(read("last")).toBe("99")
    })

    test("view() shows the layers and refuses writing, for none, one and two of them", async () => {
      const one = await layer([file("a", "1")])
      const two = await layer([file("b", "2")])
      for (const layers of [[], [one], [one, two]]) {
        snapshotter.view(layers, target)
        expect(readdirSync(target)).toHaveLength(layers.length)
        expect(() => writeFileSync(join(target, "c"), "3")).toThrow("EROFS")
        snapshotter.unmount(target)
      }
    })

    test("whiteouts hide files and directories of lower layers, wherever they stand in the archive", async () => {
      const low = await layer([file("file", "low"), directory("dir"), file("dir/x", "low"), file("opaque/x", "low")])
      const again = [file("dir/y", "high"), { path: ".wh.dir", type: "file" } as const]
      for (const order of [again, again.toReversed()]) {
        const high = await layer([
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
        await layer([
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
      const contained = await layer([
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
      expect(read("real/through")).toBe("x")
      expect(read("up")).toBe("x")
      expect(read("through-up")).toBe("x")
      expect(read("over")).toBe("second")
      expect(read(`${outside}/absolute`)).toBe("x")
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
        const { diffId, path } = await archive(entries)
        const error = await snapshotter.addLayer(diffId, path).catch((error: unknown) => error)
        expect([isKind(error, "invalid"), entries[0]?.path]).toEqual([true, entries[0]?.path])
        expect(snapshotter.hasLayer(diffId)).toBe(false)
      }
      expect(readdirSync(outside)).toEqual(["kept"])
      expect(snapshotter.sweep()).toEqual([])
    })

    test("a layer cannot speak to overlayfs through attributes", async () => {
      const redirect = new Map([["trusted.overlay.redirect", Buffer.from("/secret")]])
      const low = await layer([file("secret/a", "x")])
      const high = await layer([directory("open", { xattrs: redirect })])
      snapshotter.prepare("one", [low, high])
      snapshotter.mount("one", target)
      expect(readdirSync(join(target, "open"))).toEqual([])
    })

    test("removeLayer() says conflict while a snapshot stands on the layer", async () => {
      const diffId = await layer([file("a", "1")])
      snapshotter.prepare("one", [diffId])
      expect(isKind(await snapshotter.removeLayer(diffId).catch((error: unknown) => error), "conflict")).toBe(true)
      await snapshotter.remove("one")
      await snapshotter.removeLayer(diffId)
      expect(snapshotter.hasLayer(diffId)).toBe(false)
      expect(isKind(await snapshotter.removeLayer(diffId).catch((error: unknown) => error), "not-found")).toBe(true)
    })

    test("remove() takes away what was written, also a tree deeper than a path may be long", async () => {
      snapshotter.prepare("one", [])
      const { upper } = snapshotter.paths("one")
      const dig = `cd "$1" && for i in $(seq 200); do mkdir ${"d".repeat(100)} && cd -P ${"d".repeat(100)} || exit 1; done; printf x > "$(printf '\\351')"`
      expect(Bun.spawnSync(["bash", "-c", dig, "dig", upper]).exitCode).toBe(0)
      await snapshotter.remove("one")
      await snapshotter.remove("one")
      expect(existsSync(upper)).toBe(false)
      expect(snapshotter.sweep()).toEqual([])
      expect(() => snapshotter.paths("one")).toThrow('No snapshot "one"')
    })

    test("sweep() removes directories that no row names and nothing else", async () => {
      const kept = await layer([file("a", "1")])
      snapshotter.prepare("kept", [kept])
      for (const name of ["stray", ".new-half"]) mkdirSync(join(root, "snapshots", name, "deep"), { recursive: true })
      const removed = snapshotter.sweep()
      expect(removed.map((path) => path.slice(root.length + 1)).sort()).toEqual([
        "snapshots/.new-half",
        "snapshots/stray",
      ])
      expect(existsSync(join(root, "snapshots/stray"))).toBe(false)
      snapshotter.mount("kept", target)
      expect(read("a")).toBe("1")
    })

    test("prepare() takes over a directory that a crash left without a row", () => {
      mkdirSync(join(root, "snapshots/one/upper"), { recursive: true })
      writeFileSync(join(root, "snapshots/one/upper/left"), "x")
      snapshotter.prepare("one", [])
      snapshotter.mount("one", target)
      expect(readdirSync(target)).toEqual([])
      expect(statSync(target).mode & 0o7777).toBe(0o755)
    })

    test("a snapshotter that is opened again knows the layers and snapshots", async () => {
      const diffId = await layer([file("a", "1")])
      snapshotter.prepare("one", [diffId])
      const again = open(database, join(root, "snapshots"))
      expect(again.hasLayer(diffId)).toBe(true)
      again.mount("one", target)
      expect(read("a")).toBe("1")
    })
  })
}
