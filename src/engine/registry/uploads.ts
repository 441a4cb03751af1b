// Uploads under way: a row, and a file under registry/uploads whose length is how far it is. Both outlive the daemon. What
// has been hashed is remembered in memory only, and hashed again from the file where that is gone.
import { randomBytes } from "node:crypto"
import { closeSync, createReadStream, openSync, readdirSync, statSync } from "node:fs"
import { open } from "node:fs/promises"
import { join } from "node:path"
import type { ContentStore } from "../../content/contract.ts"
import { crashpoint } from "../../lib/crashpoint.ts"
import { FULL_DISK } from "../../lib/errors.ts"
import { ensureDirectory, unlinkIfExists } from "../../lib/files.ts"
import type { Digest } from "../../oci/digest.ts"
import type { Database } from "../../state/database.ts"
import { RegistryError } from "./errors.ts"
import { algorithmOf, type DigestAlgorithm, type NamedDigest, type RepositoryName } from "./names.ts"
import type { RegistryRecords } from "./records.ts"

const READ_SIZE = 1 << 20
const MOST_UPLOADS = 1000
const ID = /^[0-9a-f]{32}$/

type Row = {
  readonly id: string
  readonly repository: RepositoryName
  readonly algorithm: DigestAlgorithm
  readonly started_at: number
}

/** How much of the file the hashers have seen. */
type Hashed = { readonly sha256: Bun.CryptoHasher; readonly sha512: Bun.CryptoHasher | undefined; size: number }

export type UploadPart = {
  readonly bytes: AsyncIterable<Uint8Array>
  /** Where the client says that its part begins and ends. */
  readonly range?: { readonly first: number; readonly last: number } | undefined
  /** Bytes announced. */
  readonly length?: number | undefined
}

export type Uploads = ReturnType<typeof openUploads>

export function openUploads(options: {
  readonly database: Database
  readonly content: ContentStore
  readonly records: RegistryRecords
  readonly directory: string
  /** The most bytes that one blob may have. */
  readonly limit: () => number
}) {
  const { content, database, directory, limit, records } = options
  ensureDirectory(directory, 0o700)
  const select = database.query<Row, { id: string }>("SELECT * FROM registry_uploads WHERE id = $id")
  const all = database.query<Row>("SELECT * FROM registry_uploads")
  const insert = database.query<never, Row>(
    "INSERT INTO registry_uploads VALUES ($id, $repository, $algorithm, $started_at)",
  )
  const remove = database.query<never, { id: string }>("DELETE FROM registry_uploads WHERE id = $id")
  const hashes = new Map<string, Hashed>()
  const busy = new Set<string>()
  const path = (id: string): string => join(directory, id)

  function find(name: RepositoryName, id: string): Row & { readonly size: number } {
    const row = ID.test(id) ? select.get({ id }) : null
    const file = row?.repository === name ? statSync(path(id), { throwIfNoEntry: false }) : undefined
    if (row === null || file === undefined)
      throw new RegistryError("BLOB_UPLOAD_UNKNOWN", `Repository "${name}" has no upload "${id.slice(0, 40)}"`)
    return { ...row, size: file.size }
  }

  async function claimed<T>(id: string, body: () => Promise<T>): Promise<T> {
    if (busy.has(id))
      throw new RegistryError("BLOB_UPLOAD_INVALID", `Upload "${id}" is being written to already`, { status: 409 })
    busy.add(id)
    try {
      return await body()
    } finally {
      busy.delete(id)
    }
  }

  /** The file first: on a full disk the row's removal may need its space. A row without a file is no upload any more. */
  function drop(id: string): void {
    hashes.delete(id)
    unlinkIfExists(path(id))
    database.essential(() => {
      remove.run({ id })
    })
  }

  /** Hashers that have seen the whole file as it is. */
  async function hashedTo({ id, algorithm }: Row, size: number): Promise<Hashed> {
    const known = hashes.get(id)
    if (known?.size === size && (algorithm === "sha256" || known.sha512 !== undefined)) return known
    const fresh: Hashed = {
      sha256: new Bun.CryptoHasher("sha256"),
      sha512: algorithm === "sha512" ? new Bun.CryptoHasher("sha512") : undefined,
      size: 0,
    }
    if (size > 0)
      for await (const chunk of createReadStream(path(id), { highWaterMark: READ_SIZE, end: size - 1 }))
        see(fresh, chunk as Buffer)
    hashes.set(id, fresh)
    return fresh
  }

  async function write(upload: Row & { readonly size: number }, { bytes, range, length }: UploadPart): Promise<number> {
    const { id, size } = upload
    if (range !== undefined) checkRange(upload, { range, length })
    const hashed = await hashedTo(upload, size)
    const most = limit()
    await using file = await open(path(id), "r+")
    try {
      for await (const chunk of bytes) {
        if (hashed.size + chunk.length > most)
          throw new RegistryError("SIZE_INVALID", `Blob is longer than the ${most} bytes that fit (${FULL_DISK})`, {
            status: 413,
          })
        for (let at = 0; at < chunk.length; )
          at += (await file.write(chunk, at, chunk.length - at, hashed.size + at)).bytesWritten
        see(hashed, chunk)
      }
    } catch (error) {
      // Half a chunk may have been written; what counts is what was hashed.
      await file.truncate(hashed.size)
      throw error
    }
    if (length !== undefined && hashed.size - size !== length)
      throw new RegistryError("SIZE_INVALID", `Part has ${hashed.size - size} bytes, not the ${length} announced`)
    return hashed.size
  }

  async function store(upload: Row, size: number, digest: NamedDigest): Promise<void> {
    const { id, repository } = upload
    const hashed = await hashedTo({ ...upload, algorithm: algorithmOf(digest) }, size)
    hashes.delete(id)
    const sha256 = `sha256:${hashed.sha256.digest("hex")}` as Digest
    const found = algorithmOf(digest) === "sha256" ? sha256 : `sha512:${hashed.sha512!.digest("hex")}`
    if (found !== digest) {
      drop(id)
      throw new RegistryError("DIGEST_INVALID", `Blob does not match its digest "${digest}": it is "${found}"`)
    }
    using lease = content.lease()
    lease.hold(sha256)
    if (!content.has(sha256)) await content.adopt(path(id), { digest: sha256, size })
    crashpoint("registry.upload:before-rows")
    records.transaction(() => {
      records.putBlob({ repository, digest, content: sha256, size })
      remove.run({ id })
    })
    unlinkIfExists(path(id))
  }

  return {
    begin(name: RepositoryName, algorithm: DigestAlgorithm): string {
      if (all.all().length >= MOST_UPLOADS)
        throw new RegistryError("TOOMANYREQUESTS", `More than ${MOST_UPLOADS} uploads are under way`, {
          headers: { "Retry-After": "60" },
        })
      const id = randomBytes(16).toString("hex")
      closeSync(openSync(path(id), "wx", 0o600))
      insert.run({ id, repository: name, algorithm, started_at: Date.now() })
      return id
    },

    /** How many bytes of it are here. */
    size: (name: RepositoryName, id: string): number => find(name, id).size,

    /** Adds to the end. What arrived of a part that breaks off stays, and `size` tells of it. */
    async append(name: RepositoryName, id: string, part: UploadPart): Promise<number> {
      find(name, id)
      return await claimed(id, () => write(find(name, id), part))
    },

    /** The last part, if any, and the blob exists. A wrong digest ends the upload. */
    async finish(
      name: RepositoryName,
      id: string,
      { digest, part }: { readonly digest: NamedDigest; readonly part: UploadPart },
    ): Promise<void> {
      find(name, id)
      await claimed(id, async () => {
        const size = await write(find(name, id), part)
        await store(find(name, id), size, digest)
      })
    },

    cancel(name: RepositoryName, id: string): void {
      find(name, id)
      if (busy.has(id))
        throw new RegistryError("BLOB_UPLOAD_INVALID", `Upload "${id}" is being written to`, { status: 409 })
      drop(id)
    },

    count: (): number => all.all().length,

    /** Ends uploads that nobody has added to since `before`, and removes files without a row. Returns the ended ones. */
    sweep(before: number): readonly string[] {
      const ended: string[] = []
      const rows = all.all()
      for (const { id } of rows) {
        const touched = statSync(path(id), { throwIfNoEntry: false })?.mtimeMs
        if (busy.has(id) || (touched !== undefined && touched >= before)) continue
        drop(id)
        ended.push(id)
      }
      const known = new Set(rows.map(({ id }) => id))
      for (const name of readdirSync(directory)) if (!known.has(name) && ID.test(name)) unlinkIfExists(path(name))
      return ended
    },
  }
}

function see(hashed: Hashed, chunk: Uint8Array): void {
  hashed.sha256.update(chunk)
  hashed.sha512?.update(chunk)
  hashed.size += chunk.length
}

function checkRange(
  { repository, id, size }: Row & { readonly size: number },
  {
    range,
    length,
  }: { readonly range: { readonly first: number; readonly last: number }; readonly length: number | undefined },
): void {
  const headers = { Range: rangeOf(size), Location: `/v2/${repository}/blobs/uploads/${id}` }
  if (range.first !== size)
    throw new RegistryError("BLOB_UPLOAD_INVALID", `Part begins at ${range.first}, and the upload has ${size} bytes`, {
      status: 416,
      headers,
    })
  if (range.last < range.first || (length !== undefined && range.last - range.first + 1 !== length))
    throw new RegistryError("SIZE_INVALID", `Content-Range does not fit the part's length`, { status: 416, headers })
}

/** As the specification writes what is here: the last byte's position, and "0-0" for nothing as for one byte. */
export function rangeOf(size: number): string {
  return `0-${Math.max(0, size - 1)}`
}
