// dhow fsck against damage of every kind: a bit flipped, a file cut short, a file gone, a row that lies. What came from a
// registry comes back from there; what did not is named and left as it is.
import { Database } from "bun:sqlite"
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import type { FsckFinding, FsckLine, FsckSummary } from "../../src/wire/fsck.ts"
import { dhow } from "../support/docker.ts"
import { busyboxTar, TestEngine } from "../support/engine.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"

describe.skipIf(!hasRegistry).each(["erofs", "directory"])("dhow fsck over %s", (driver) => {
  const engine = new TestEngine(["--storage-driver", driver])
  const ours = dhow(engine)
  let registry: TestRegistry
  let pulled: { readonly name: string; readonly id: string; readonly manifest: string; readonly layer: string }

  setDefaultTimeout(30_000)
  beforeAll(async () => {
    registry = await TestRegistry.start()
    await engine.start()
    await engine.must("POST", "/images/create?fromSrc=-&repo=bb", busyboxTar())
    const name = `${registry.host}/team/bb:1`
    await ours.ok("tag", "bb", name)
    await ours.ok("push", name)
    await ours.ok("rmi", "-f", name, "bb")
    await ours.ok("pull", name)
    const row = <T>(sql: string): T => rows<T>(sql)[0]!
    const { id, manifest } = row<{ id: string; manifest: string }>("SELECT id, manifest FROM images")
    const { diff_id: layer } = row<{ diff_id: string }>("SELECT diff_id FROM layers")
    pulled = { name, id, manifest, layer }
    await ours.ok("create", "--name", "user", "--net", "none", name, "cat", "/vol/seed")
  }, 30_000)

  afterAll(async () => {
    await engine.destroy()
    await registry.stop()
  }, 30_000)

  const rows = <T>(sql: string): T[] => {
    using database = new Database(join(engine.dataRoot, "dhow.db"))
    return database.query<T, []>(sql).all()
  }
  const blob = (digest: string): string => join(engine.dataRoot, "content/sha256", digest.slice(7))
  const layerFiles = (): string => {
    const { key } = rows<{ key: string }>("SELECT key FROM layers")[0]!
    return join(engine.dataRoot, "snapshots", key)
  }

  async function check(flags: readonly string[] = []) {
    const { status, stdout, stderr } = await ours.run(["fsck", "--format", "json", ...flags])
    const lines = stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as FsckLine)
    const found = lines.filter((line): line is FsckFinding => line.kind === "finding")
    return { status, found, summary: lines.at(-1) as FsckSummary, stderr }
  }

  async function expectWell(): Promise<void> {
    expect(await check()).toMatchObject({ status: 0, found: [], summary: { damaged: 0, notes: 0 } })
    expect(await ours.ok("start", "-a", "user")).toBe("seed")
  }

  function flip(path: string, at = Math.floor(statSync(path).size / 2)): void {
    const { atime, mtime } = statSync(path)
    const fd = openSync(path, "r+")
    const byte = Buffer.alloc(1)
    readSync(fd, byte, 0, 1, at)
    byte[0] = byte[0]! ^ 0x10
    writeSync(fd, byte, 0, 1, at)
    closeSync(fd)
    utimesSync(path, atime, mtime)
  }

  test("finds nothing in a store that is whole, and counts what it read", async () => {
    await expectWell()
    const text = await ours.ok("fsck")
    expect(text).toMatch(
      /^Checked 3 blobs, 1 layer, 1 image, 1 container and 0 volumes: \d.* in \d+\.\d s\nAll is well$/,
    )
    expect(await ours.ok("system", "fsck", "--quiet", "--limit-rate", "100m")).toBe("")
  })

  const damages: readonly (readonly [string, (path: string) => void])[] = [
    ["with a bit flipped", flip],
    ["cut short", (path) => truncateSync(path, Math.floor(statSync(path).size / 2))],
    ["emptied", (path) => truncateSync(path, 0)],
    ["deleted", unlinkSync],
  ]
  for (const kind of ["manifest", "config", "layer"] as const)
    for (const [how, damage] of damages)
      test(`a ${kind} ${how} is named with who needs it, and fetched again`, async () => {
        const digest = kind === "config" ? pulled.id : pulled[kind]
        damage(blob(digest))
        const found = await check()
        expect(found.status).toBe(1)
        expect(found.found[0]).toMatchObject({
          severity: "damage",
          object: `${kind} ${digest}`,
          images: [pulled.name],
          containers: ["user"],
        })
        // Nothing is changed without being asked.
        expect((await check()).status).toBe(1)
        const repaired = await check(["--repair"])
        expect(repaired.found[0]?.repair).toEqual({ done: true, text: `fetched again from ${registry.host}/team/bb` })
        expect(repaired).toMatchObject({ status: 0, summary: { damaged: 0 } })
        await expectWell()
      })

  const inside = driver === "erofs" ? "index" : "fs/bin/busybox"
  for (const [how, damage] of damages)
    test(`a layer's own file ${how} is found and made anew`, async () => {
      damage(join(layerFiles(), inside))
      const { status, found } = await check()
      expect(status).toBe(1)
      expect(found).toMatchObject([
        { object: `files of layer ${pulled.layer}`, images: [pulled.name], containers: ["user"] },
      ])
      const repaired = await check(["--repair"])
      expect(repaired.found[0]?.repair).toEqual({ done: true, text: "made anew from its tar" })
      expect(repaired.status).toBe(0)
      await expectWell()
    })

  test("a layer that a running container stands on is not exchanged under it", async () => {
    await ours.ok("run", "-d", "--name", "runs", "--net", "none", pulled.name, "sleep", "60")
    flip(join(layerFiles(), inside))
    const { status, found } = await check(["--repair"])
    expect(status).toBe(1)
    expect(found[0]?.repair).toEqual({
      done: false,
      text: "a running container stands on it (Stop it and repair again)",
    })
    await ours.ok("rm", "-f", "runs")
    expect((await check(["--repair"])).status).toBe(0)
    await expectWell()
  })

  test("rows that lie are found, and corrected where the bytes say how", async () => {
    using database = new Database(join(engine.dataRoot, "dhow.db"))
    database.run("PRAGMA busy_timeout = 5000")
    database.run("UPDATE blobs SET size = size + 1 WHERE digest = ?", [pulled.layer])
    database.run("UPDATE images SET arch = 'mips'")
    const { status, found } = await check()
    expect(status).toBe(1)
    expect(found.map(({ problem }) => problem)).toEqual([
      "its row tells another size",
      "its row tells another platform than its configuration",
    ])
    expect((await check(["--repair"])).status).toBe(0)
    await expectWell()
  })

  test("a name that leads nowhere, and a layer whose row is gone", async () => {
    using database = new Database(join(engine.dataRoot, "dhow.db"))
    database.run("PRAGMA busy_timeout = 5000")
    database.run("DELETE FROM layers")
    const { found } = await check(["--repair"])
    expect(found).toMatchObject([
      { problem: `its layer ${pulled.layer} is not made`, repair: { done: true } },
      { severity: "note", problem: "no row names it; the next start of the daemon looks after it" },
    ])
    const nowhere = `sha256:${"0".repeat(64)}`
    database.run("INSERT INTO tags VALUES ('docker.io/library/lost:1', ?, 0)", [nowhere])
    const lost = await check(["--repair"])
    expect(lost.status).toBe(1)
    expect(lost.found[0]).toMatchObject({
      object: "name lost:1",
      repair: { done: false, text: expect.stringContaining("no registry is known") },
    })
    database.run("DELETE FROM tags WHERE target = ?", [nowhere])
    // The strays of the layer that was made anew go with the next start.
    await engine.kill()
    await engine.start()
    await expectWell()
  })

  test("what came from no registry stays damaged, is named, and stays where it is", async () => {
    await engine.must(
      "POST",
      "/images/create?fromSrc=-&repo=own",
      Bun.spawnSync(["tar", "-C", "/bin", "-cf", "-", "true"]).stdout,
    )
    const own = rows<{ diff_id: string }>(`SELECT diff_id FROM layers WHERE diff_id <> '${pulled.layer}'`)[0]!.diff_id
    flip(blob(own))
    const { status, found } = await check(["--repair"])
    expect(status).toBe(1)
    expect(found[0]).toMatchObject({ images: ["own:latest"], repair: { done: false } })
    expect(found[0]!.repair!.text).toContain("no registry is known to have it")
    expect(existsSync(blob(own))).toBe(true)
    // The damaged image can be removed, and is then gone for good.
    await ours.ok("rmi", "own")
    await expectWell()
  })

  test("an image whose configuration is damaged keeps no other from being listed or removed", async () => {
    const tar = Bun.spawnSync(["tar", "-C", "/bin", "-cf", "-", "false"]).stdout
    await engine.must("POST", "/images/create?fromSrc=-&repo=broken&changes=LABEL%20a%3Db", tar)
    const { Id } = await engine.must<{ Id: string }>("GET", "/images/broken/json")
    writeFileSync(blob(Id), "{")
    await engine.kill()
    await engine.start()
    expect(await ours.ok("images", "-q")).toContain(Id.slice(7, 19))
    await ours.ok("rmi", "broken")
    await expectWell()
  })

  test("the directories of a container and a volume, and what no row names", async () => {
    await ours.ok("volume", "create", "data")
    const volume = join(engine.dataRoot, "volumes/data")
    renameSync(volume, `${volume}-elsewhere`)
    const { status, found } = await check(["--repair"])
    expect(status).toBe(1)
    expect(found).toMatchObject([
      { severity: "damage", object: "volume data", problem: "its directory is missing", repair: { done: false } },
      { severity: "note", object: "volumes/data-elsewhere" },
    ])
    renameSync(`${volume}-elsewhere`, volume)
    writeFileSync(join(engine.dataRoot, "content/sha256", "f".repeat(64)), "stray")
    expect(await check()).toMatchObject({ status: 0, summary: { notes: 1 }, found: [{ severity: "note" }] })
    expect(readdirSync(join(engine.dataRoot, "content/sha256"))).toContain("f".repeat(64))
    await ours.ok("volume", "rm", "data")
    unlinkSync(join(engine.dataRoot, "content/sha256", "f".repeat(64)))
  })

  test("a second check at the same time is refused, and one whose client went away ends at once", async () => {
    const client = new AbortController()
    const url = "http://dhow/dhow/fsck?rate=50000"
    const slow = await fetch(url, { unix: engine.socket, method: "POST", signal: client.signal })
    expect(slow.status).toBe(200)
    const refused = await ours.run(["fsck"])
    expect([refused.status, refused.stderr]).toEqual([1, expect.stringContaining("a check is already running")])
    client.abort()
    const begun = performance.now()
    while ((await engine.call("POST", "/dhow/fsck")).status !== 200) await Bun.sleep(20)
    expect(performance.now() - begun).toBeLessThan(3000)
  })
})
