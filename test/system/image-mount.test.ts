// Images mounted for a user: read-only, kept from removal, there after a crash of the engine, and gone without a trace.
import { describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { mountedAt } from "../../src/lib/mountinfo.ts"
import { dhow } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

for (const driver of ["directory", "erofs"])
  describe(`image mount over ${driver}`, () => {
    const engine = testEngine(["--storage-driver", driver])
    const cli = dhow(engine)
    const targets = async () => (await cli.ok("image", "mount", "--format", "{{.Target}}")).split("\n")

    test("shows the files, read-only and without setuid programs, and is kept from removal", async () => {
      const path = await cli.ok("image", "mount", "bb")
      expect(readFileSync(join(path, "etc/group"), "utf8")).toBe("root:x:0:\n")
      expect(() => writeFileSync(join(path, "etc/new"), "")).toThrow("EROFS")
      expect(mountedAt(path)?.options).toEqual(expect.arrayContaining(["ro", "nosuid", "nodev"]))
      expect(await cli.ok("image", "mount")).toMatch(/^IMAGE ID .*\n[0-9a-f]{12} +bb:latest +linux\/\w+ +.* ago +\//)
      for (const args of [["bb"], ["-f", "bb"], ["-f", (await cli.ok("images", "-q", "bb")).trim()]])
        expect((await cli.run(["rmi", ...args])).stderr).toContain(`mounted at "${path}"`)
      expect(await cli.ok("image", "prune", "-a", "--dry-run")).toContain(`keep      mounted at "${path}"`)
      await cli.ok("image", "prune", "-a", "-f")
      expect(await cli.ok("images", "-q", "bb")).not.toBe("")

      await engine.kill()
      expect(existsSync(join(path, "etc/group"))).toBe(true)
      await engine.start()
      expect(await targets()).toEqual([path])
      expect(readFileSync(join(path, "etc/group"), "utf8")).toBe("root:x:0:\n")
      expect(await cli.ok("image", "unmount", "bb")).toBe(path)
      expect(existsSync(path)).toBe(false)
      expect(await targets()).toEqual([""])
    })

    test("a directory of one's own: made where it is missing, refused where it is not empty", async () => {
      const made = join(engine.root, "made here")
      expect(await cli.ok("image", "mount", "bb", made)).toBe(made)
      expect(readdirSync(made)).toContain("etc")
      expect((await cli.run(["image", "mount", "bb", made])).stderr).toContain("is not empty")
      const empty = join(engine.root, "empty")
      mkdirSync(empty)
      await cli.ok("image", "mount", "bb", empty)
      expect((await targets()).sort()).toEqual([empty, made])
      await cli.ok("image", "unmount", made)
      expect(existsSync(made)).toBe(false)
      await cli.ok("image", "unmount", "--all")
      expect(readdirSync(empty)).toEqual([])
      const file = join(engine.root, "file")
      writeFileSync(file, "")
      expect((await cli.run(["image", "mount", "bb", file])).stderr).toContain("is no directory")
      expect((await cli.run(["image", "mount", "bb", join(file, "x")])).stderr).toContain("Mount point")
      expect((await cli.run(["image", "unmount", "bb"])).stderr).toContain('Image "bb" is not mounted')
      expect((await cli.run(["image", "mount", "none"])).stderr).toContain("No such image: none:latest")
    })

    test("what a reboot took is forgotten", async () => {
      const path = await cli.ok("image", "mount", "bb")
      await engine.kill()
      Bun.spawnSync(["umount", path])
      await engine.start()
      expect(await targets()).toEqual([""])
      expect(existsSync(path)).toBe(false)
    })

    test.each(["images.mount:after-row", "images.mount:after-mount", "images.unmount:before-row"])(
      "killed at %s nothing stays that nobody knows of",
      async (point) => {
        const place = join(engine.root, "place")
        await engine.kill()
        await engine.start({ DHOW_CRASH_AT: point })
        await cli.run(["image", "mount", "bb", place])
        if (engine.isRunning) await cli.run(["image", "unmount", place])
        await engine.ended()
        await engine.start()
        expect(await targets()).toEqual([""])
        expect(mountedAt(place)).toBeUndefined()
        expect(existsSync(place)).toBe(false)
        await cli.ok("image", "mount", "bb", place)
        await cli.ok("image", "unmount", place)
      },
    )
  })
