import { expect, test } from "bun:test"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { copyOf } from "./bytes.ts"
import { fileChunks } from "./file-chunks.ts"

test("fileChunks() gives a file's bytes in order, whatever its length, and lets a caller leave early", async () => {
  const directory = mkdtempSync(join(tmpdir(), "dhow-chunks-"))
  try {
    const path = join(directory, "file")
    for (const length of [0, 1, (1 << 20) - 1, 1 << 20, (5 << 20) + 12345]) {
      const bytes = new Uint8Array(length).map((_, at) => (at * 31 + (at >> 12)) & 255)
      writeFileSync(path, bytes)
      const pieces: Uint8Array[] = []
      for await (const piece of fileChunks(path)) pieces.push(copyOf(piece))
      expect(Buffer.compare(Buffer.concat(pieces), bytes)).toBe(0)
      for await (const piece of fileChunks(path)) {
        expect(piece.length).toBeGreaterThan(0)
        break
      }
    }
    await expect(fileChunks(join(directory, "none")).next()).rejects.toThrow("ENOENT")
  } finally {
    rmSync(directory, { recursive: true })
  }
})
