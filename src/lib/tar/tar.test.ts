import { expect, test } from "bun:test"
import { readTar } from "./reader.ts"
import { type TarInput, writeTar } from "./writer.ts"

async function collect(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = []
  for await (const chunk of source) parts.push(chunk)
  return Buffer.concat(parts)
}

test("readTar() gives back what writeTar() was given", async () => {
  const long = "directory/".repeat(30)
  const entries: TarInput[] = [
    { path: "etc", type: "directory", mode: 0o700, uid: 3, gid: 4, mtime: 5 },
    { path: "etc/passwd", type: "file", content: Buffer.from("root"), mtime: -2, mtimeNanoseconds: 5e8 },
    { path: `${long}name`, type: "symlink", linkPath: `../${long}`, mode: 0o777 },
    { path: "etc/again", type: "hardlink", linkPath: "etc/passwd", uid: 4_000_000_000 },
    { path: "dev/null", type: "character-device", device: { major: 1, minor: 3 } },
    { path: "n\udce9", type: "file", xattrs: new Map([["user.x", Buffer.of(0, 10, 61, 255)]]) },
  ]
  const archive = await collect(writeTar(entries))
  async function* sliced(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < archive.length; at += 333) yield archive.subarray(at, at + 333)
  }
  const seen: unknown[] = []
  for await (const { content, ...entry } of readTar(sliced())) {
    const text = (await collect(content)).toString()
    seen.push({ ...entry, text })
  }
  expect(seen).toEqual(
    entries.map(({ content, ...entry }) => ({
      mode: entry.type === "directory" ? 0o755 : 0o644,
      uid: 0,
      gid: 0,
      mtime: 0,
      mtimeNanoseconds: 0,
      ...entry,
      path: entry.type === "directory" ? `${entry.path}/` : entry.path,
      size: content === undefined ? 0 : 4,
      text: content === undefined ? "" : "root",
    })),
  )
})
