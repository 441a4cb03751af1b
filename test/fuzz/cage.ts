// `bun cage.ts CAGE OUTSIDE SEED FROM COUNT`: unpacks archives as layers, each with a directory of its own for its root,
// as `dhow internal unpack-layer` does. A process of its own, since it changes its root; it comes back out between two
// archives by a descriptor that archives cannot name. Says what it did in one line of JSON.
import { dlopen } from "bun:ffi"
import { closeSync, ftruncateSync, mkdirSync, openSync, unlinkSync, writeSync } from "node:fs"
import { describeError, isKind } from "../../src/lib/errors.ts"
import { changeRoot } from "../../src/lib/syscalls/tree.ts"
import { TarFile } from "../../src/lib/tar/file-reader.ts"
import { unpackLayer } from "../../src/snapshot/unpack.ts"
import { mutate } from "./mutate.ts"
import { randomOf } from "./random.ts"
import { seeds } from "./seeds.ts"

const [cage = "", outside = "", seed = "0", from = "0", count = "0"] = process.argv.slice(2)
const { symbols: c } = dlopen("libc.so.6", {
  fchdir: { args: ["i32"], returns: "i32" },
  chroot: { args: ["ptr"], returns: "i32" },
})
const HERE = Buffer.from(".\0")

const archives = await seeds()
process.umask(0)
const tarPath = `${cage}/tar`
const tar = openSync(tarPath, "wx+")
unlinkSync(tarPath)
const top = openSync(cage, "r")
changeRoot(cage)

let headers = 0
let refused = 0
const findings: string[] = []
for (let serial = Number(from); serial < Number(from) + Number(count); serial++) {
  const random = randomOf(Number(seed), serial)
  const made = mutate(random.pick(archives), random, outside)
  headers += made.headers
  ftruncateSync(tar, 0)
  for (let done = 0; done < made.archive.length; )
    done += writeSync(tar, made.archive, done, made.archive.length - done, done)
  mkdirSync(`/${serial}`)
  changeRoot(`/${serial}`)
  try {
    unpackLayer(new TarFile(tar), "trusted.overlay.")
  } catch (error) {
    refused++
    if (!isKind(error, "invalid")) findings.push(`${serial}: ${describeError(error)}`)
  }
  if (c.fchdir(top) !== 0 || c.chroot(HERE) !== 0) throw new Error("The cage cannot be left")
}
closeSync(tar)
const rss = process.resourceUsage().maxRSS * 1024
process.stdout.write(`${JSON.stringify({ headers, refused, findings, rss })}\n`)
