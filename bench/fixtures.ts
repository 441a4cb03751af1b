// The images of the benchmark, made from nothing but Debian's busybox and arithmetic, the same on every machine.
import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import { type TarInput, writeTar } from "../src/lib/tar/writer.ts"
import { type Base, type LayerSize, makeBase } from "./images/layer.ts"
import { type LoopbackRegistry, openRegistry } from "./images/registry.ts"
import { run } from "./process.ts"

export type Fixtures = {
  /** A root file system of a few megabytes. */
  readonly busybox: string
  /** For what is made on the way. */
  readonly directory: string
  /** 170 MB in 8,700 files, sized like a Debian system's. */
  readonly debian: () => Promise<Base>
  /** 1 GB in 40,000 files. */
  readonly large: () => Promise<Base>
  /** Archives of files of 10 KiB: 1,000, 10,000 and 100,000. */
  readonly fewFiles: () => Promise<string>
  readonly smallFiles: () => Promise<string>
  readonly manyFiles: () => Promise<string>
  /** Undefined where docker-registry is not installed. */
  readonly registry: () => Promise<LoopbackRegistry | undefined>
  close(): Promise<void>
}

const DEBIAN: LayerSize = { files: 8700, bytes: 170_000_000, slope: 1.2 }
const LARGE: LayerSize = { files: 40_000, bytes: 1_000_000_000, slope: 0.6 }

export async function makeFixtures(directory: string): Promise<Fixtures> {
  const busybox = join(directory, "busybox.tar")
  await write(busybox, await busyboxEntries())
  const debian = once(() => makeBase(directory, "debian", DEBIAN))
  const large = once(() => makeBase(directory, "large", LARGE))
  const fewFiles = once(() => filesArchive(directory, 10))
  const smallFiles = once(() => filesArchive(directory, 100))
  const manyFiles = once(() => filesArchive(directory, 1000))
  const registry = once(() => openRegistry(directory))
  return {
    directory,
    busybox,
    debian,
    large,
    fewFiles,
    smallFiles,
    manyFiles,
    registry,
    close: async () => {
      if (registry.isMade()) await (await registry())?.close()
    },
  }
}

/** Made when it is first asked for. */
function once<T>(make: () => Promise<T>): (() => Promise<T>) & { isMade(): boolean } {
  let made: Promise<T> | undefined
  return Object.assign(
    () => {
      made ??= make()
      return made
    },
    { isMade: () => made !== undefined },
  )
}

async function write(path: string, entries: Iterable<TarInput>): Promise<void> {
  await using file = await open(path, "wx")
  for await (const chunk of writeTar(entries)) await file.writeFile(chunk)
}

const FILES_IN_DIRECTORY = 100
const FILE_BYTES = 10 * 1024

/** In a directory of its own, for a container that is to see nothing else. */
async function filesArchive(directory: string, directories: number): Promise<string> {
  const place = join(directory, `files-${directories}`)
  mkdirSync(place)
  const path = join(place, "files.tar")
  await write(path, smallFiles(directories))
  return path
}

function* smallFiles(directories: number): Generator<TarInput> {
  const content = randomBytes(FILE_BYTES)
  for (let at = 0; at < directories; at++) {
    yield { path: `d${at}`, type: "directory" }
    for (let file = 0; file < FILES_IN_DIRECTORY; file++) yield { path: `d${at}/f${file}`, type: "file", content }
  }
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
