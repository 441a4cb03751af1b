// Reads every blob and compares it with its digest and its row; one reader, one chunk at a time. A blob that something
// else removes meanwhile is no damage.
import { open } from "node:fs/promises"
import type { Blob } from "../../content/contract.ts"
import { errnoName } from "../../lib/errors.ts"
import type { Digest } from "../../oci/digest.ts"
import { type Check, damaged } from "./context.ts"
import { refetch } from "./refetch.ts"

const CHUNK = 1 << 20

export type CheckedBlobs = {
  /** Blobs whose bytes are not what they should be, after any repair. */
  readonly damaged: ReadonlySet<Digest>
  readonly bytes: number
}

/** The small ones first: manifests have to be whole before what they name can be fetched. */
export async function checkBlobs(check: Check): Promise<CheckedBlobs> {
  const { content, affected } = check
  const bad = new Set<Digest>()
  let bytes = 0
  const read = reader(check, (count) => {
    bytes += count
    return bytes
  })
  for (const blob of [...content.list()].sort((a, b) => a.size - b.size)) {
    const { digest } = blob
    const problem = await problemOf(check, blob, read)
    if (problem === undefined || !content.has(digest)) continue
    const object = `${affected.role(digest)?.kind ?? "blob"} ${digest}`
    const found = { object, problem, images: affected.images(digest), containers: affected.containers(digest) }
    if (problem === WRONG_ROW) await damaged(check, found, async () => await mendRow(check, digest, read))
    else if (!(await damaged(check, found, () => refetch(check, digest)))) bad.add(digest)
  }
  return { damaged: bad, bytes }
}

const WRONG_ROW = "its row tells another size"

type Read = (path: string, object: string) => Promise<{ readonly digest: Digest; readonly size: number }>

async function problemOf({ content, signal }: Check, { digest, size }: Blob, read: Read): Promise<string | undefined> {
  using lease = content.lease()
  lease.hold(digest)
  try {
    const found = await read(content.path(digest), digest)
    if (found.digest === digest) return found.size === size ? undefined : WRONG_ROW
    if (found.size !== size) return `its file has ${found.size} bytes, not ${size}`
    return `its bytes have the digest ${found.digest}`
  } catch (error) {
    signal.throwIfAborted()
    const code = errnoName(error)
    return code === "ENOENT" ? "its file is missing" : `its file cannot be read (${code ?? String(error)})`
  }
}

async function mendRow({ content, database }: Check, digest: Digest, read: Read): Promise<string> {
  const { size } = await read(content.path(digest), digest)
  database
    .query<never, { digest: string; size: number }>("UPDATE blobs SET size = $size WHERE digest = $digest")
    .run({ digest, size })
  return "the row was corrected"
}

function reader({ rate, signal, progress }: Check, count: (bytes: number) => number): Read {
  // A fourth of a second's worth at the most: it is paid for by one pause, in which nobody is heard.
  const chunk = rate === undefined ? CHUNK : Math.max(512, Math.min(CHUNK, Math.floor(rate / 4)))
  const buffer = Buffer.allocUnsafe(chunk)
  const begun = performance.now()
  return async (path, object) => {
    const hasher = new Bun.CryptoHasher("sha256")
    let size = 0
    await using file = await open(path, "r")
    for (;;) {
      signal.throwIfAborted()
      const { bytesRead } = await file.read(buffer, 0, chunk, size)
      if (bytesRead === 0) return { digest: `sha256:${hasher.digest("hex")}` as Digest, size }
      hasher.update(buffer.subarray(0, bytesRead))
      size += bytesRead
      const done = count(bytesRead)
      progress({ object, done })
      if (rate === undefined) continue
      const early = (done / rate) * 1000 - (performance.now() - begun)
      if (early > 1) await Bun.sleep(early)
    }
  }
}
