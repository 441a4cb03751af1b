// A tree of files with everything that a copy may lose, and a look at what is left of it.
import {
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs"
import { join } from "node:path"

/** A tree with everything that a copy may lose. */
export function plant(root: string): void {
  mkdirSync(join(root, "deep/er"), { recursive: true, mode: 0o750 })
  writeFileSync(join(root, "deep/file"), "content")
  chownSync(join(root, "deep/file"), 33, 44)
  linkSync(join(root, "deep/file"), join(root, "second-name"))
  symlinkSync("../nowhere", join(root, "deep/link"))
  writeFileSync(join(root, "sparse"), "begin")
  truncateSync(join(root, "sparse"), 8 << 20)
  Bun.spawnSync(["mkfifo", join(root, "pipe")])
  writeFileSync(Buffer.concat([Buffer.from(`${root}/not-utf8-`), Buffer.of(0xff)]), "x")
  utimesSync(join(root, "deep/file"), 1000, 1_000_000_000)
  utimesSync(join(root, "deep"), 1000, 1_100_000_000)
  chownSync(root, 70, 70)
}

/** What `plant` made, told by the file system. */
export function look(root: string): unknown {
  const file = statSync(join(root, "deep/file"))
  return {
    names: readdirSync(root, { encoding: "buffer" })
      .map((name) => name.toString("latin1"))
      .sort(),
    owner: [file.uid, file.gid, statSync(root).uid],
    times: [file.mtimeMs, statSync(join(root, "deep")).mtimeMs],
    linked: file.ino === statSync(join(root, "second-name")).ino,
    link: lstatSync(join(root, "deep/link")).isSymbolicLink(),
    pipe: lstatSync(join(root, "pipe")).isFIFO(),
    sparse: [statSync(join(root, "sparse")).size, statSync(join(root, "sparse")).blocks < 100],
    mode: statSync(join(root, "deep/er")).mode & 0o777,
  }
}
