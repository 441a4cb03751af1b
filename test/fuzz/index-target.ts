// One archive through both readers and the index writer, and a share of the indexes through the kernel. Anything but an
// index, or a refusal that names the archive's own mistake, is a finding.
import { closeSync, fstatSync, ftruncateSync, mkdirSync, openSync, writeFileSync, writeSync } from "node:fs"
import { join } from "node:path"
import { describeError, isKind } from "../../src/lib/errors.ts"
import { unmount } from "../../src/lib/syscalls/mount.ts"
import { TarFile } from "../../src/lib/tar/file-reader.ts"
import { readTar } from "../../src/lib/tar/reader.ts"
import { digestOf } from "../../src/oci/digest.ts"
import { type MountWay, mountErofs, probeErofs } from "../../src/snapshot/erofs/mount.ts"
import { describeIndexing, writeIndex } from "../../src/snapshot/erofs/writer.ts"
import { walk } from "./walk.ts"

const DIFF_ID = digestOf("fuzz")
/** What a small archive may ask for: an index in proportion to it, with a little for each file. */
const INDEX_FLOOR = 1 << 20
const INDEX_FACTOR = 64
const SLOW_MILLISECONDS = 5000

export type Outcome = "indexed" | "refused"

export class IndexTarget implements Disposable {
  readonly #tarPath: string
  readonly #indexPath: string
  readonly #mounted: string
  readonly #tar: number
  readonly #index: number

  readonly #way: MountWay | undefined

  constructor(directory: string) {
    this.#way = probeErofs(join(directory, "probe"))
    this.#tarPath = join(directory, "tar")
    this.#indexPath = join(directory, "index")
    this.#mounted = join(directory, "mounted")
    mkdirSync(this.#mounted)
    writeFileSync(this.#tarPath, "")
    writeFileSync(this.#indexPath, "")
    this.#tar = openSync(this.#tarPath, "r+")
    this.#index = openSync(this.#indexPath, "r+")
  }

  get canMount(): boolean {
    return this.#way !== undefined
  }

  /** Throws what is a finding. */
  run(archive: Buffer): Outcome {
    const begun = performance.now()
    for (let done = 0; done < archive.length; ) done += writeSync(this.#tar, archive, done, archive.length - done, done)
    ftruncateSync(this.#tar, archive.length)
    ftruncateSync(this.#index, 0)
    const outcome = this.#write()
    const took = performance.now() - begun
    if (took > SLOW_MILLISECONDS) throw new Error(`It took ${Math.round(took)} ms`)
    return outcome
  }

  #write(): Outcome {
    try {
      writeIndex(DIFF_ID, this.#tar, this.#index)
    } catch (error) {
      if (isKind(describeIndexing(error), "invalid")) return "refused"
      throw error
    }
    const { blocks } = fstatSync(this.#index)
    const { size } = fstatSync(this.#tar)
    if (blocks * 512 > INDEX_FLOOR + INDEX_FACTOR * size)
      throw new Error(`An archive of ${size} bytes got an index of ${blocks * 512} bytes on disk`)
    return "indexed"
  }

  /** The index that run() wrote last, as the kernel sees it: everything can be looked at and read. False where it cannot. */
  mount(): boolean {
    if (this.#way === undefined) return false
    mountErofs(this.#way, { tar: this.#tarPath, index: this.#indexPath }, this.#mounted)
    try {
      walk(this.#mounted)
    } finally {
      unmount(this.#mounted)
    }
    return true
  }

  /** The stream reader sees what the file reader sees, or refuses with the same words. */
  async compareReaders(archive: Buffer, slice: number): Promise<void> {
    const [file, stream] = [this.#fromFile(), await fromStream(archive, slice)]
    if (file !== stream) throw new Error(`The readers differ:\n  file:   ${file}\n  stream: ${stream}`)
  }

  #fromFile(): string {
    const seen: string[] = []
    try {
      const archive = new TarFile(this.#tar)
      for (let entry = archive.next(); entry !== undefined; entry = archive.next()) seen.push(tell(entry))
    } catch (error) {
      seen.push(refusal(error))
    }
    return seen.join("\n")
  }

  [Symbol.dispose](): void {
    closeSync(this.#tar)
    closeSync(this.#index)
  }
}

async function fromStream(archive: Buffer, slice: number): Promise<string> {
  async function* source(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < archive.length; at += slice) yield archive.subarray(at, at + slice)
  }
  const seen: string[] = []
  try {
    for await (const { content: _, ...entry } of readTar(source())) seen.push(tell(entry))
  } catch (error) {
    seen.push(refusal(error))
  }
  return seen.join("\n")
}

function tell(entry: object): string {
  return JSON.stringify(entry, (_, value: unknown) => (value instanceof Map ? [...value] : value))
}

function refusal(error: unknown): string {
  if (!isKind(error, "invalid")) throw error
  return describeError(error)
}
