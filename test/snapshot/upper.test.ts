// What was written to a snapshot, read: a layer made of it shows the same tree, whatever was done; and the same files give
// the same bytes. Against the kernel's overlayfs, over both forms of layers.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openContentStore } from "../../src/content/store.ts"
import { setXattr } from "../../src/lib/syscalls/tree.ts"
import type { Digest } from "../../src/oci/digest.ts"
import { openSnapshotter, type StorageDriver } from "../../src/snapshot/open.ts"
import { openUppers } from "../../src/snapshot/uppers.ts"
import { Database } from "../../src/state/database.ts"
import { unmountBelow } from "./fixture.ts"
import { describeTree } from "./trees.ts"

const internalCommand = [process.execPath, join(import.meta.dir, "../../src/main.ts"), "internal"]
const isRoot = process.getuid?.() === 0

/** cap_net_raw+ep, as the kernel keeps it: a revision, and the sets of 64 capabilities. */
const CAPABILITY = Buffer.from("0100000200200000000000000000000000000000", "hex")

const BASE = `mkdir -p a/b/c d/e empty f && echo 1 > a/one && echo 2 > a/b/two && echo 3 > a/b/c/three && ln a/one a/link
echo 4 > d/e/four && echo 5 > d/five && ln -s five d/soft && mkfifo f/pipe && mknod f/null c 1 3 && chmod 1777 empty
head -c 300000 /dev/urandom > f/random && echo cap > f/cap && touch -d '2001-01-01 00:00:00.123456789' a/b/two`

const CASES: Readonly<Record<string, string>> = {
  nothing: "true",
  "files and directories": "echo new > new; mkdir -p x/y/z; echo deep > x/y/z/file; chmod 700 x; chown 1:2 x/y/z/file",
  "modified files": "echo more >> a/b/two; echo 9 > d/five; chmod 4755 f/random; touch -d '1999-09-09' d/e/four",
  "a time alone": "touch -d '2020-02-02 02:02:02.000000002' a/b/two; touch -d '2020-02-02' d",
  removed: "rm a/b/two; rm -r d; rm f/pipe f/null",
  "removed and made again": "rm -r a; mkdir a; echo again > a/one; mkdir a/b; echo q > a/b/new",
  "a directory for a file": "rm d/five; mkdir d/five; echo in > d/five/in; rm -r a/b; echo file > a/b",
  "renamed directories": "mv a g; mv d/e h; mkdir d/e; echo x > d/e/x; mv f d/f",
  "hard links": "echo l > l1; ln l1 l2; mkdir m; ln l1 m/l3; ln a/b/two two; ln f/random r2; echo x >> l1",
  "links of the image, parted": "echo more >> a/link",
  "links and devices": "ln -s /etc/passwd s; ln -sf nowhere d/soft; mkfifo p; mknod n c 5 1; mknod b b 7 300",
  sparse:
    "truncate -s 50000000 hole; printf end >> hole; truncate -s 10000000 allhole; dd if=/dev/zero of=z bs=1k count=200 2>/dev/null",
  attributes: "chmod 600 empty",
  "odd names": `touch "$(printf 'n\\nl')" "$(printf 'b\\377')" ' ' '\\' .wh '..x' "$(printf '%0255d' 1)"; mkdir -p "$(printf 'd\\377')/x"`,
  "nested opaque": "rm -r a; mkdir -p a/b/c; echo q > a/b/c/q; rm -r d; mkdir d; mkdir d/e",
  "opened without being changed": "exec 3<>a/b/two; exec 3>&-; chmod 644 d/five; chown 0:0 f/random",
  "what came and went": "touch a/b/c/tmp; rm a/b/c/tmp; mkdir d/t; rmdir d/t",
  "the root": "chmod 711 .; chown 5:6 .",
  "long paths": `p=long; for i in 1 2 3 4 5 6 7 8; do p=$p/$(printf '%0100d' $i); done; mkdir -p $p; echo x > $p/file; ln $p/file lf; ln -s $p ls`,
}

for (const driver of ["directory", "erofs"] as const)
  describe.skipIf(!isRoot)(`what was written over ${driver} layers`, () => {
    const root = mkdtempSync(join(tmpdir(), "dhow-upper-"))
    const database = Database.open(join(root, "db"))
    mkdirSync(join(root, "snapshots"))
    const content = openContentStore(database, join(root, "content"))
    const snapshotter = openSnapshotter(database, {
      driver: driver as StorageDriver,
      directory: join(root, "snapshots"),
      mounts: join(root, "layers"),
      internalCommand,
    })
    const uppers = openUppers({ snapshotter, directory: join(root, "uppers"), internalCommand })
    let base: Digest
    let serial = 0

    const sh = (cwd: string, script: string): string => {
      const { exitCode, stdout, stderr } = Bun.spawnSync(["bash", "-ec", script], { cwd })
      if (exitCode !== 0) throw new Error(`${script}: ${stderr.toString()}`)
      return stdout.toString("latin1")
    }
    /** The root's own time is another at each mount. */
    const list = (cwd: string): Map<string, string> => describeTree(cwd, new Set([""]))
    async function addLayer(tar: AsyncIterable<Uint8Array>): Promise<Digest> {
      const { digest } = await content.ingest(tar, {})
      await snapshotter.addLayer(digest, content.path(digest))
      return digest
    }
    function place(): string {
      const path = join(root, `m${serial++}`)
      mkdirSync(path)
      return path
    }

    beforeAll(async () => {
      const tree = place()
      sh(tree, BASE)
      base = await addLayer(Bun.spawn(["tar", "-C", tree, "--format=posix", "-c", "."], { stdout: "pipe" }).stdout)
    })
    afterAll(() => {
      database.close()
      unmountBelow(root)
      rmSync(root, { recursive: true, force: true })
    })

    test.each(Object.keys(CASES))("%s: a layer of it shows the same, twice with the same bytes", async (name) => {
      const key = `s${serial}`
      snapshotter.prepare(key, [base])
      const live = place()
      snapshotter.mount(key, live)
      sh(live, CASES[name]!)
      if (name === "attributes") {
        setXattr(join(live, "d/five"), "user.k", Buffer.of(0, 1, 255))
        setXattr(join(live, "a"), "user.empty", Buffer.alloc(0))
        setXattr(join(live, "f/cap"), "security.capability", CAPABILITY)
      }
      const of = { key, layers: [base] }
      const layer = await addLayer(uppers.layer(of))
      expect((await content.ingest(uppers.layer(of), {})).digest).toBe(layer)
      const seen = list(live)
      const whole = await addLayer(uppers.tree(of))
      snapshotter.unmount(live)
      for (const layers of [[base, layer], [whole]]) {
        const view = place()
        snapshotter.view(layers, view)
        const shown = list(view)
        // The whole tree says nothing of the root itself, as Docker's export does not; and overlayfs still counts the
        // names of a lower file that are hidden.
        const compared = (tree: Map<string, string>) =>
          [...tree].filter(([path]) => path !== "").map((line) => line.join(" ").replace(/links=\d+/, ""))
        if (layers.length === 1) expect(compared(shown)).toEqual(compared(seen))
        else expect(shown).toEqual(seen)
        snapshotter.unmount(view)
      }
      if (["nothing", "opened without being changed"].includes(name)) {
        expect(content.stat(layer)?.size).toBe(1024)
        expect(await Array.fromAsync(uppers.changes(of))).toEqual([])
      }
      if (name === "sparse") expect(content.stat(layer)!.size).toBeLessThan(300_000)
      await snapshotter.remove(key)
      expect(readdirSync(join(root, "uppers"))).toEqual([])
    })

    test("a mark that overlayfs gives no meaning to here is refused, and a container's own marks are not believed", async () => {
      const key = `s${serial++}`
      snapshotter.prepare(key, [base])
      const { upper } = snapshotter.paths(key)
      sh(upper, "mkdir -p a && touch a/x")
      setXattr(join(upper, "a"), "user.overlay.opaque", Buffer.from("y"))
      expect(await Array.fromAsync(uppers.changes({ key, layers: [base] }))).toEqual([
        { path: "a", kind: "modified" },
        { path: "a/x", kind: "added" },
      ])
      sh(upper, "mkdir d")
      setXattr(join(upper, "d"), "trusted.overlay.redirect", Buffer.from("/f"))
      const failed = await Array.fromAsync(uppers.changes({ key, layers: [base] })).catch(
        (error: Error) => error.message,
      )
      expect(failed).toBe('Directory "d" was renamed in a way that cannot be read from its files')
      await snapshotter.remove(key)
    })

    test("what a crash left mounted is swept", async () => {
      const left = join(root, "uppers", "left")
      mkdirSync(left, { recursive: true })
      snapshotter.view([base], left)
      uppers.sweep()
      expect(readdirSync(join(root, "uppers"))).toEqual([])
    })

    test("a reader that leaves ends the work, and nothing stays mounted", async () => {
      const key = `s${serial++}`
      snapshotter.prepare(key, [base])
      const { upper } = snapshotter.paths(key)
      writeFileSync(join(upper, "large"), new Uint8Array(20_000_000).fill(1))
      for await (const _ of uppers.layer({ key, layers: [base] })) break
      const abort = new AbortController()
      const cancelled = (async () => {
        for await (const _ of uppers.layer({ key, layers: [base] }, abort.signal)) abort.abort()
      })()
      expect(cancelled).rejects.toThrow("cancelled")
      await cancelled.catch(() => undefined)
      expect(readdirSync(join(root, "uppers"))).toEqual([])
      await snapshotter.remove(key)
    })
  })
