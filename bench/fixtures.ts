// The images of the benchmark, made from nothing but Debian's busybox and arithmetic, the same on every machine.
import { readFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { type TarInput, writeTar } from "../src/lib/tar/writer.ts"
import { run } from "./process.ts"

export type Fixtures = {
  /** A root file system of a few megabytes. */
  readonly busybox: string
  /** 170 MB in 8,700 files, sized like a Debian system's. */
  readonly debian: () => Promise<string>
}

const DEBIAN_FILES = 8700
const DEBIAN_BYTES = 170_000_000

export async function makeFixtures(directory: string): Promise<Fixtures> {
  const busybox = join(directory, "busybox.tar")
  await write(busybox, await busyboxEntries())
  let debian: Promise<string> | undefined
  return {
    busybox,
    debian: () => {
      const path = join(directory, "debian.tar")
      debian ??= write(path, debianEntries()).then(() => path)
      return debian
    },
  }
}

async function write(path: string, entries: Iterable<TarInput>): Promise<void> {
  await using file = await open(path, "wx")
  for await (const chunk of writeTar(entries)) await file.writeFile(chunk)
}

async function busyboxEntries(): Promise<TarInput[]> {
  const program = Bun.which("busybox")
  if (program === null) throw new Error("busybox is not installed: apt-get install busybox-static")
  const applets = (await run([program, "--list"])).split("\n").filter((name) => name !== "" && name !== "busybox")
  return [
    ...["bin", "dev", "etc", "proc", "root", "sys", "tmp"].map((path): TarInput => ({ path, type: "directory" })),
    { path: "bin/busybox", type: "file", mode: 0o755, content: readFileSync(program) },
    ...applets.map((name): TarInput => ({ path: `bin/${name}`, type: "symlink", linkPath: "busybox" })),
    { path: "etc/passwd", type: "file", content: Buffer.from("root:x:0:0:root:/root:/bin/sh\n") },
    { path: "etc/group", type: "file", content: Buffer.from("root:x:0:\n") },
  ]
}

/** Xorshift: the same bytes everywhere; every other run of 64 repeats, so that they compress about as programs do. */
function bytes(length: number, seed: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4))
  let state = seed * 2654435761 + 1
  for (let index = 0; index < words.length; index++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[index] = (index >> 4) % 2 === 0 ? state : (words[index - 16] ?? 0)
  }
  return new Uint8Array(words.buffer, 0, length)
}

/** Many small files and few large ones: sizes fall with the square of the rank. */
function* debianEntries(): Generator<TarInput> {
  const weight = (index: number): number => 1 / (index + 20) ** 1.2
  let total = 0
  for (let index = 0; index < DEBIAN_FILES; index++) total += weight(index)
  yield { path: "usr", type: "directory" }
  for (let index = 0; index < DEBIAN_FILES; index++) {
    const directory = `usr/d${index % 600}`
    if (index < 600) yield { path: directory, type: "directory" }
    const size = Math.round((weight(index) / total) * DEBIAN_BYTES)
    yield { path: `${directory}/f${index}`, type: "file", content: bytes(size, index + 1) }
  }
}
