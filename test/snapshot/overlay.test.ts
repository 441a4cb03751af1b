// Both ways to mount overlayfs, on whatever this kernel is. Needs root.
import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { unmount } from "../../src/lib/syscalls/mount.ts"
import { mountByContext, mountByString } from "../../src/lib/syscalls/overlay.ts"

const WAYS = [
  ["mountByContext()", mountByContext],
  ["mountByString()", mountByString],
] as const

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "dhow-overlay-"))
})

afterEach(() => {
  unmount(join(root, "target"))
  rmSync(root, { recursive: true, force: true })
})

function make(...parts: string[]): string {
  const path = join(root, ...parts)
  mkdirSync(path, { recursive: true })
  return path
}

for (const [name, mountOverlay] of WAYS) {
  describe(name, () => {
    test("takes more layers than fit into a page of options, and names with separators in them", () => {
      const target = make("target")
      const lower = Array.from({ length: 150 }, (_, n) => make(`a,b:c\\d "e" ${"x".repeat(60)}`, `layer-${n}`))
      for (const [n, layer] of lower.entries()) writeFileSync(join(layer, "last"), String(n))
      for (const [n, layer] of lower.entries()) writeFileSync(join(layer, `f${n}`), "")
      mountOverlay(target, { lower, upper: { directory: make("u,p:p"), work: make("w,o:r") } })
      expect(readdirSync(target)).toHaveLength(151)
      expect(readFileSync(join(target, "last"), "utf8")).toBe("149")
      writeFileSync(join(target, "last"), "written")
      expect(readFileSync(join(root, "u,p:p/last"), "utf8")).toBe("written")
    })

    test("without an upper directory is read-only", () => {
      const target = make("target")
      mountOverlay(target, { lower: [make("a"), make("b")] })
      expect(() => writeFileSync(join(target, "x"), "")).toThrow("EROFS")
    })

    test("says what failed when a layer is not there", () => {
      expect(() => mountOverlay(make("target"), { lower: [join(root, "none"), make("b")] })).toThrow("overlay")
    })
  })
}
