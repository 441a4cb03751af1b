// Archives made to do harm: each is refused with one clear error, with little memory, by the stream and by the file.
import { afterAll, beforeAll, expect, test } from "bun:test"
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type DhowError, isKind } from "../errors.ts"
import { TarFile } from "./file-reader.ts"
import { formatPax } from "./pax.ts"
import { readTar } from "./reader.ts"
import { encodeTarHeader } from "./writer.ts"

let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "dhow-tar-"))
})

afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A header changed by hand, its checksum made right again. */
function header(path: string, size: number, change: (block: Buffer) => void = () => {}): Buffer {
  const block = Buffer.from(encodeTarHeader({ path, type: "file", size }))
  change(block)
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  return block
}

function blocks(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string)
  return Buffer.concat([bytes, Buffer.alloc(-bytes.length & 511)])
}

function pax(records: Record<string, string>, flag = "x"): Buffer {
  const body = formatPax(Object.entries(records))
  return Buffer.concat([header("PaxHeaders", body.length, (block) => block.write(flag, 156)), blocks(body)])
}

function extension(flag: string, content: string): Buffer {
  return Buffer.concat([header("././@LongLink", content.length, (block) => block.write(flag, 156)), blocks(content)])
}

async function refusal(archive: Buffer): Promise<string> {
  const stream = await (async () => {
    async function* source(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < archive.length; at += 700) yield archive.subarray(at, at + 700)
    }
    for await (const { content } of readTar(source())) for await (const _ of content);
    return undefined
  })().catch((error: unknown) => error)
  writeFileSync(join(root, "a.tar"), archive)
  const fd = openSync(join(root, "a.tar"), "r")
  try {
    const file = new TarFile(fd)
    while (file.next() !== undefined);
    throw new Error("was accepted")
  } catch (error) {
    expect(isKind(error, "invalid")).toBe(true)
    expect((stream as DhowError).message).toBe((error as DhowError).message)
    return (error as DhowError).message
  } finally {
    closeSync(fd)
  }
}

const END = Buffer.alloc(1024)
const sparse10 = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "s" }

const CASES: readonly (readonly [name: string, archive: () => Buffer, message: string])[] = [
  ["bytes that are no archive", () => Buffer.alloc(1024, "x"), "wrong checksum"],
  ["a size that is no number", () => header("f", 0, (block) => block.write("9x9", 124)), 'bad size "9x9'],
  ["a negative size", () => header("f", 0, (block) => block.fill(0xff, 124, 136)), "negative size"],
  [
    "a size beyond all measure",
    () => header("f", 0, (block) => block.fill(0xff, 125, 136).fill(0x80, 124, 125)),
    "bad size",
  ],
  [
    "sizes that lead beyond all files",
    () => header("f", 0, (block) => block.write("\x80\0\0\0\0\x1f\xff\xff\xff\xff\xff\xff", 124, "latin1")),
    'cut off in "f"',
  ],
  ["content that is cut off", () => Buffer.concat([header("f", 1000), Buffer.alloc(600)]), 'cut off in "f"'],
  ["content cut off in its last block", () => Buffer.concat([header("f", 10), Buffer.alloc(9)]), 'cut off in "f"'],
  ["a header that is cut off", () => header("f", 0).subarray(0, 300), "cut off in a header"],
  ["an extended header that describes nothing", () => pax({ path: "x" }), "cut off in a header"],
  [
    "an extended header of 2 MiB",
    () => header("x", 2 << 20, (block) => block.write("x", 156)),
    "extended headers of 2097152 bytes",
  ],
  [
    "a chain of long names",
    () => Buffer.concat([extension("L", "n".repeat(700_000)), extension("K", "n".repeat(700_000)), header("f", 0)]),
    "extended headers of 1400000 bytes",
  ],
  [
    "global records that add up",
    () =>
      Buffer.concat(
        [1, 2, 3].map((n) => Buffer.concat([pax({ [`k${n}`]: "v".repeat(500_000) }, "g"), header("f", 0)])),
      ),
    "extended headers of 1500006 bytes",
  ],
  [
    "a PAX record longer than its header",
    () => Buffer.concat([extension("x", "99 path=x\n"), header("f", 0)]),
    "bad PAX record",
  ],
  ["a PAX record without a value", () => Buffer.concat([extension("x", "7 path\n"), header("f", 0)]), "bad PAX record"],
  ["a PAX size that is no number", () => Buffer.concat([pax({ size: "-1" }), header("f", 0), END]), 'bad size "-1"'],
  ["a PAX time that is no number", () => Buffer.concat([pax({ mtime: "now" }), header("f", 0), END]), 'bad time "now"'],
  ["a NUL in a name", () => Buffer.concat([pax({ path: "a\0b" }), header("f", 0), END]), "NUL in its name"],
  ["a file without a name", () => Buffer.concat([header("", 0), END]), "without a name"],
  ["a type nobody knows", () => header("f", 0, (block) => block.write("Z", 156)), 'unknown type "Z"'],
  ["an entry after the end", () => Buffer.concat([Buffer.alloc(512), header("f", 0)]), "entry after its end"],
  [
    "a sparse map that reaches beyond the file",
    () => Buffer.concat([pax({ "GNU.sparse.map": "0,4,90,20", "GNU.sparse.size": "100" }), header("s", 24), END]),
    'Sparse file "s" in the archive has a bad map',
  ],
  [
    "a sparse map that goes backwards",
    () => Buffer.concat([pax({ "GNU.sparse.map": "50,4,0,4", "GNU.sparse.size": "100" }), header("s", 8), END]),
    "bad map",
  ],
  [
    "a sparse map of another length than the content",
    () => Buffer.concat([pax({ "GNU.sparse.map": "0,4", "GNU.sparse.size": "100" }), header("s", 8), END]),
    "bad map",
  ],
  [
    "a sparse 1.0 map with a billion stretches",
    () => Buffer.concat([pax(sparse10), header("s", 512), blocks("1000000000\n"), END]),
    "more than 1048576 stretches",
  ],
  [
    "a sparse 1.0 map that is no text",
    () => Buffer.concat([pax(sparse10), header("s", 2048), Buffer.alloc(2048, 0xff), END]),
    "bad map",
  ],
]

for (const [name, archive, message] of CASES) {
  test(`an archive with ${name} is refused`, async () => {
    expect(await refusal(archive())).toContain(message)
  })
}

test("an archive that ends without its closing blocks is read to its end", async () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Buffer.concat([header("f", 3), Buffer.from("abc")])
  }
  const paths: string[] = []
  for await (const { path } of readTar(source())) paths.push(path)
  expect(paths).toEqual(["f"])
})

test("readTar() closes its source when the reader stops early", async () => {
  let closed = false
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield header("f", 0)
    } finally {
      closed = true
    }
  }
  for await (const { path } of readTar(source())) if (path === "f") break
  expect(closed).toBe(true)
})
