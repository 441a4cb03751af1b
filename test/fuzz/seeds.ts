// Real archives for the fuzzer to begin with: one small tree with every kind of file, as GNU tar writes it in each of its
// formats; and one of ours with whiteouts.
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setXattr } from "../../src/lib/syscalls/tree.ts"
import { type TarInput, writeTar } from "../../src/lib/tar/writer.ts"
import { cut, type Piece } from "./pieces.ts"

const FORMATS = [
  ["--format=v7"],
  ["--format=ustar"],
  ["--format=gnu"],
  ["--format=gnu", "--sparse"],
  ["--format=pax", "--xattrs", "--xattrs-include=*"],
  ["--format=pax", "--sparse"],
  ["--format=pax", "--sparse", "--sparse-version=0.1"],
  ["--format=pax", "--sparse", "--sparse-version=0.0"],
]

export async function seeds(): Promise<readonly (readonly Piece[])[]> {
  const root = mkdtempSync(join(tmpdir(), "dhow-seeds-"))
  try {
    makeTree(join(root, "tree"))
    const archives = FORMATS.map((flags) => {
      const tar = join(root, "a.tar")
      const made = Bun.spawnSync(["tar", ...flags, "-b", "1", "-C", join(root, "tree"), "-cf", tar, "."])
      // The old formats cannot say everything, and leave out what they cannot.
      if (made.exitCode !== 0 && flags.length > 1) throw new Error(made.stderr.toString())
      return readFileSync(tar)
    })
    archives.push(Buffer.concat(await Array.fromAsync(writeTar(layer()))))
    return archives.map(cut)
  } finally {
    rmSync(root, { recursive: true })
  }
}

function makeTree(tree: string): void {
  const at = (path: string): string => join(tree, path)
  mkdirSync(at("d/e"), { recursive: true })
  writeFileSync(at("d/file"), "content")
  writeFileSync(at("d/e/empty"), "")
  writeFileSync(at(`d/${"long".repeat(40)}`), "x".repeat(600))
  symlinkSync("d", at("to-d"))
  symlinkSync(`../${"target".repeat(30)}`, at("d/far"))
  symlinkSync("/", at("to-root"))
  linkSync(at("d/file"), at("hard"))
  for (const [name, ...type] of [
    ["pipe", "p"],
    ["null", "c", "1", "3"],
    ["disk", "b", "8", "0"],
  ] as const)
    Bun.spawnSync(["mknod", at(name), ...type])
  setXattr(at("d/file"), "user.note", Buffer.from("noted"))
  const sparse = openSync(at("sparse"), "w")
  for (let n = 0; n < 6; n++) writeSync(sparse, "data", n << 16)
  closeSync(sparse)
  truncateSync(at("sparse"), 500_000)
}

function layer(): readonly TarInput[] {
  const file = (path: string, more: Partial<TarInput> = {}): TarInput => ({ path, type: "file", ...more })
  return [
    { path: ".", type: "directory", mode: 0o755, uid: 1, mtimeNanoseconds: 5 },
    { path: "etc", type: "directory", mode: 0o2775 },
    file("etc/passwd", {
      content: Buffer.from("root"),
      xattrs: new Map([["security.capability", Buffer.alloc(20, 1)]]),
    }),
    file("etc/.wh.shadow"),
    file("usr/.wh..wh..opq"),
    file("usr/bin/program", { content: Buffer.alloc(1500, 7), mode: 0o4755 }),
    { path: "bin", type: "symlink", linkPath: "usr/bin" },
    file("bin/through-a-link"),
    { path: "usr/bin/again", type: "hardlink", linkPath: "usr/bin/program" },
    { path: "dev/null", type: "character-device", device: { major: 1, minor: 3 } },
    file(`n\udce9${"m".repeat(120)}`, { uid: 3_000_000_000, mtime: -5 }),
  ]
}
