// A tree with every kind of file, name, owner, time and attribute that an archive can hold. Needs root.
import { expect } from "bun:test"
import {
  closeSync,
  ftruncateSync,
  linkSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs"
import { join } from "node:path"
import { setXattr } from "../../src/lib/syscalls/tree.ts"
import { encodeName } from "../../src/lib/tar/names.ts"

export function run(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command)
  expect([exitCode, exitCode === 0 ? "" : stderr.toString()]).toEqual([0, ""])
}

/** What GNU tar makes of the archive, in the new directory `out`. */
export function unpackWithTar(tar: string, out: string): string {
  mkdirSync(out)
  run("tar", "--xattrs", "--xattrs-include=*", "--same-owner", "--numeric-owner", "-C", out, "-xpf", tar)
  return out
}

/** The formats in which GNU tar can say all or most of it. */
export const FORMATS: readonly (readonly string[])[] = [
  ["--format=gnu"],
  ["--format=gnu", "--sparse"],
  ["--format=pax", "--xattrs", "--xattrs-include=*"],
  ["--format=pax", "--xattrs", "--xattrs-include=*", "--sparse"],
  ["--format=pax", "--xattrs", "--xattrs-include=*", "--sparse", "--sparse-version=0.1"],
]

export function makeTree(tree: string): string {
  mkdirSync(join(tree, "deep/er"), { recursive: true })
  const at = (path: string): string => join(tree, path)
  for (const size of [0, 1, 511, 512, 513, 4095, 4096, 4097, 100_000])
    writeFileSync(at(`size-${size}`), Buffer.alloc(size, `${size} `))
  writeFileSync(at(`deep/er/${"n".repeat(255)}`), "long")
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/`), encodeName("caf\udce9")]), "latin")
  writeFileSync(at("größe-日本"), "unicode")
  for (const name of ["!before-dot", "-", ".hidden", "..two", "~"]) writeFileSync(at(name), name)
  linkSync(at("size-513"), at("deep/hard"))
  linkSync(at("size-513"), at("again"))
  for (const length of [1, 300, 448, 449, 511, 512, 513, 4095]) symlinkSync("t".repeat(length), at(`link-${length}`))
  run("mkfifo", "-m", "622", at("pipe"))
  run("mknod", "-m", "660", at("disk"), "b", "259", "300")
  run("mknod", "-m", "666", at("null"), "c", "1", "3")
  setXattr(at("size-1"), "security.capability", Buffer.from("0100000200040000000000000000000000000000", "hex"))
  setXattr(at("size-1"), "user.note", Buffer.from("x".repeat(700)))
  setXattr(at("deep"), "trusted.note", Buffer.from("on a directory"))
  setXattr(at("size-0"), "user.empty", Buffer.alloc(0))
  for (let n = 0; n < 200; n++) writeFileSync(at(`deep/er/file-${n}`), String(n))
  run("chmod", "6755", at("size-512"))
  run("chmod", "1777", at("deep"))
  run("chown", "3000000000:4000000000", at("size-4096"))
  run("chown", "-h", "5:6", at("link-300"))
  run("touch", "-d", "1969-12-31 23:59:58.000000001 UTC", at("size-1"))
  run("touch", "-h", "-d", "2100-01-02 03:04:05.999999999 UTC", at("link-1"))
  const fd = openSync(at("sparse"), "w")
  for (const [offset, text] of [
    [0, "a"],
    [1 << 20, "data".repeat(5000)],
    [(3 << 20) + 4096, "end"],
  ] as const)
    writeSync(fd, text, offset)
  ftruncateSync(fd, 5_000_001)
  closeSync(fd)
  writeFileSync(at("only-a-hole"), "")
  truncateSync(at("only-a-hole"), 777_777)
  return tree
}
