// What the registry gives up: uploads that nobody continues, tags that retention ends, manifests without a name where
// that is asked for, blobs that no manifest names. The rows go here; the bytes go with the engine's collection.
import type { ContentStore } from "../../content/contract.ts"
import { crashpoint } from "../../lib/crashpoint.ts"
import type { RegistryGcEntry, RegistryGcReport, RegistryGcRequest } from "../../wire/registry-server.ts"
import type { RegistryRecords } from "./records.ts"
import { overdue, type Retention } from "./retention.ts"
import type { Uploads } from "./uploads.ts"

/** The manifest of a blob may be on its way for this long, and an upload's next part. */
const GRACE_MILLISECONDS = 60 * 60 * 1000
const UPLOAD_MILLISECONDS = 24 * 60 * 60 * 1000

type Context = {
  readonly records: RegistryRecords
  readonly retention: Retention
  readonly uploads: Uploads
  readonly content: ContentStore
  readonly collect: () => Promise<unknown>
}

class Rehearsal extends Error {}

export async function collectRegistry(context: Context, request: RegistryGcRequest): Promise<RegistryGcReport> {
  const { collect, content, records, uploads } = context
  const { dryRun = false, grace } = request
  const removed: RegistryGcEntry[] = []
  const before = new Set(records.contents())
  let after = new Set<string>()
  try {
    // One transaction, and synchronous: a manifest that is being pushed finds its blobs before or after it, not within.
    records.transaction(() => {
      removed.push(...giveUp(context, request))
      after = new Set(records.contents())
      if (dryRun) throw new Rehearsal()
    })
  } catch (error) {
    if (!(error instanceof Rehearsal)) throw error
  }
  const gone = [...before].filter((digest) => !after.has(digest))
  const sizes = new Map(gone.map((digest) => [digest, content.stat(digest)?.size ?? 0]))
  if (!dryRun) {
    const patience = grace === undefined ? UPLOAD_MILLISECONDS : grace * 1000
    for (const name of uploads.sweep(Date.now() - patience))
      removed.push({ kind: "upload", name, size: 0, reason: "nobody continued it" })
    crashpoint("registry.gc:before-blobs")
    await collect()
  }
  const freed = gone.filter((digest) => dryRun || !content.has(digest))
  return { removed, spaceReclaimed: freed.reduce((sum, digest) => sum + sizes.get(digest)!, 0) }
}

function giveUp({ records, retention }: Context, { untagged, grace }: RegistryGcRequest): readonly RegistryGcEntry[] {
  const removed: RegistryGcEntry[] = []
  const before = grace === undefined ? Date.now() - GRACE_MILLISECONDS : Date.now() - grace * 1000 + 1
  const ruled = new Set<string>()
  for (const name of records.names()) {
    const policy = retention.of(name)
    if (policy === undefined) continue
    ruled.add(name)
    for (const [{ tag, digest }, reason] of overdue(records.tags(name), policy)) {
      const size = records.manifest(name, digest)?.size ?? 0
      records.dropTag(name, tag)
      removed.push({ kind: "tag", name: `${name}:${tag}`, size, reason: `${reason} (${policy.pattern})` })
    }
  }
  // An index that goes leaves its manifests without a name, and they their signatures: until nothing more goes.
  for (let found = true; found; ) {
    found = false
    for (const row of records.namelessManifests(before)) {
      if (untagged !== true && !ruled.has(row.repository)) continue
      records.removeManifest(row.repository, row.digest)
      const name = `${row.repository}@${row.digest}`
      removed.push({ kind: "manifest", name, size: row.size, reason: "no tag and no index names it" })
      found = true
    }
  }
  for (const row of records.unlinkedBlobs(before)) {
    records.dropBlob(row.repository, row.digest)
    const name = `${row.repository}@${row.digest}`
    removed.push({ kind: "blob", name, size: row.size, reason: "no manifest names it" })
  }
  return removed
}
