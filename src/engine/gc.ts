// The one owner of deletion: what no tag, image, lease or snapshot reaches is removed, layers before the blobs they were
// made from. The mark is pure; where it cannot read something it fails, and nothing is deleted.
import { readFileSync } from "node:fs"
import type { ContentStore } from "../content/contract.ts"
import { crashpoint } from "../lib/crashpoint.ts"
import { DhowError, errnoName, isKind } from "../lib/errors.ts"
import type { Digest } from "../oci/digest.ts"
import type { ImageConfig } from "../oci/image-config.ts"
import { type ImageIndex, isImageConfigType, type Manifest } from "../oci/manifest.ts"
import type { Snapshotter } from "../snapshot/contract.ts"
import type { Database } from "../state/database.ts"
import { isCompanion } from "./images/index-entries.ts"

/** A blob, and how it is to be read: what a digest leads to depends on what it is taken for. */
export type Node = { readonly kind: "manifest" | "config" | "blob"; readonly digest: Digest }

export type Collected = { readonly blobs: readonly Digest[]; readonly layers: readonly Digest[] }

export type Collector = {
  /** Calls while one runs are served by one further run. */
  collect(): Promise<Collected>
  /** For the start, before anything works: leases of the process that was here before hold nothing any more. */
  forgetLeases(): void
  /** The stacks of diff ids that snapshots stand on, lowest first. */
  layersInUse(): readonly (readonly Digest[])[]
}

/** Every digest that the roots lead to. */
export function mark(roots: Iterable<Node>, edges: (node: Node) => readonly Node[]): ReadonlySet<Digest> {
  const seen = new Set<string>()
  const marked = new Set<Digest>()
  const open = [...roots]
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    const key = `${node.kind} ${node.digest}`
    if (seen.has(key)) continue
    seen.add(key)
    marked.add(node.digest)
    open.push(...edges(node))
  }
  return marked
}

export function openCollector({
  database,
  content,
  snapshotter,
  held = () => [],
}: {
  readonly database: Database
  readonly content: ContentStore
  readonly snapshotter: Snapshotter
  /** Blobs that others than images need, as they are: what the registry serves. */
  readonly held?: () => Iterable<Digest>
}): Collector {
  const targets = database.query<{ digest: Digest }>(
    `SELECT target AS digest FROM tags UNION SELECT target FROM target_images
      UNION SELECT manifest FROM target_images WHERE manifest IS NOT NULL`,
  )
  const images = database.query<{ id: Digest; manifest: Digest }>("SELECT id, manifest FROM images")
  const leased = database.query<{ digest: Digest }>("SELECT digest FROM leases")
  const dropLeases = database.query<never>("DELETE FROM leases")
  const stacks = database.query<{ layers: string }>("SELECT layers FROM snapshots")
  const layers = database.query<{ diff_id: Digest }>("SELECT diff_id FROM layers")
  const forgetSources = database.query<never>(
    "DELETE FROM layer_sources WHERE diff_id NOT IN (SELECT digest FROM blobs)",
  )
  const places = database.query<{ digest: Digest }>("SELECT DISTINCT digest FROM blob_places")
  const forgetPlaces = database.query<never, { digest: string }>("DELETE FROM blob_places WHERE digest = $digest")
  const referrers = database.query<{ subject: Digest; digest: Digest }>("SELECT subject, digest FROM referrers")
  const forgetReferrers = database.query<never>(
    "DELETE FROM referrers WHERE subject NOT IN (SELECT digest FROM blobs) OR digest NOT IN (SELECT digest FROM blobs)",
  )
  const edges = edgesIn(content)
  /** As things stand now: one query for all nodes, for there are thousands. */
  const edgesNow = (): ((node: Node) => readonly Node[]) => {
    const present = new Set([...content.list()].map(({ digest }) => digest))
    const about = Map.groupBy(referrers.all(), ({ subject }) => subject)
    return (node) => {
      // A blob that is not here leads nowhere: an index may be held in part.
      if (node.kind === "blob" || !present.has(node.digest)) return []
      const named = edges.of(node)
      // A manifest also keeps what is about it, wherever it is kept itself.
      const more = node.kind === "manifest" ? about.get(node.digest) : undefined
      return more === undefined ? named : [...named, ...more.map(({ digest }): Node => ({ kind: "manifest", digest }))]
    }
  }

  const layersInUse = (): Digest[][] => stacks.all().map((row) => JSON.parse(row.layers) as Digest[])

  const reachable = (): ReadonlySet<Digest> =>
    mark(
      [
        ...targets.all().map(({ digest }): Node => ({ kind: "manifest", digest })),
        ...images.all().flatMap(({ id, manifest }): Node[] => [
          { kind: "config", digest: id },
          { kind: "manifest", digest: manifest },
        ]),
        ...leased.all().map(({ digest }): Node => ({ kind: "blob", digest })),
        ...layersInUse().flatMap((stack) => stack.map((digest): Node => ({ kind: "blob", digest }))),
        ...blobs([...held()]),
      ],
      edgesNow(),
    )

  async function run(): Promise<Collected> {
    // What comes after this is none of this run's business.
    const candidates = [...content.list()]
    const first = reachable()
    // A writer that has just stored a blob takes its lease before the loop turns: what is unreachable on both sides of
    // a turn belongs to nobody.
    await new Promise<void>((resolve) => setImmediate(resolve))
    const second = reachable()
    const removed: { blobs: Digest[]; layers: Digest[] } = { blobs: [], layers: [] }
    for (const { diff_id: layer } of layers.all()) {
      if (first.has(layer) || second.has(layer) || reachable().has(layer)) continue
      if (await removeLayer(snapshotter, layer)) removed.layers.push(layer)
    }
    crashpoint("gc:before-blobs")
    const last = reachable()
    for (const { digest } of candidates) {
      if (first.has(digest) || second.has(digest) || last.has(digest) || snapshotter.hasLayer(digest)) continue
      if (content.remove(digest)) removed.blobs.push(digest)
    }
    forgetSources.run()
    forgetReferrers.run()
    for (const { digest } of places.all()) if (!last.has(digest)) forgetPlaces.run({ digest })
    edges.keep(last)
    await content.settled()
    return removed
  }

  let running: Promise<unknown> = Promise.resolve()
  let waiting: Promise<Collected> | undefined
  return {
    layersInUse,
    forgetLeases() {
      dropLeases.run()
    },
    collect() {
      waiting ??= running
        .catch(() => undefined)
        .then(() => {
          waiting = undefined
          const result = run()
          running = result
          return result
        })
      return waiting
    },
  }
}

async function removeLayer(snapshotter: Snapshotter, layer: Digest): Promise<boolean> {
  try {
    await snapshotter.removeLayer(layer)
    return true
  } catch (error) {
    // A snapshot was prepared on it meanwhile.
    if (isKind(error, "conflict")) return false
    throw error
  }
}

type Edges = {
  of(node: Node): readonly Node[]
  /** Forgets what was read of blobs that are gone. */
  keep(marked: ReadonlySet<Digest>): void
}

/** What manifests, indexes and configurations name: read once, since blobs never change. */
function edgesIn(content: ContentStore): Edges {
  const known = new Map<Digest, { readonly [kind in Node["kind"]]?: readonly Node[] }>()
  return {
    of({ kind, digest }) {
      if (kind === "blob") return []
      const read = known.get(digest)?.[kind]
      if (read !== undefined) return read
      const found = namedBy(kind, parse(content, digest))
      known.set(digest, { ...known.get(digest), [kind]: found })
      return found
    },
    keep(marked) {
      for (const digest of known.keys()) if (!marked.has(digest)) known.delete(digest)
    },
  }
}

function namedBy(kind: "manifest" | "config", value: object): readonly Node[] {
  if (kind === "config") return blobs((value as Partial<ImageConfig>).rootfs?.diff_ids ?? [])
  const { manifests } = value as Partial<ImageIndex>
  // Images of an index are kept by rows of their own: a platform that was removed is held by no name that others keep.
  if (Array.isArray(manifests))
    return manifests
      .filter((one) => isCompanion(one) || one.platform?.architecture === undefined)
      .map(({ digest }) => ({ kind: "manifest", digest }))
  const { config, layers = [] } = value as Partial<Manifest>
  return [
    // An artifact's configuration is whatever its maker likes.
    ...(config === undefined
      ? []
      : [{ kind: isImageConfigType(config.mediaType) ? "config" : "blob", digest: config.digest } as const]),
    ...blobs(layers.map((layer) => layer.digest)),
  ]
}

function blobs(digests: readonly Digest[]): readonly Node[] {
  return digests.map((digest) => ({ kind: "blob", digest }))
}

function parse(content: ContentStore, digest: Digest): object {
  try {
    return JSON.parse(readFileSync(content.path(digest), "utf8")) as object
  } catch (cause) {
    const detail = errnoName(cause) ?? "it is no JSON"
    throw new DhowError("internal", `Cannot collect garbage: blob "${digest}" is unreadable (${detail})`, { cause })
  }
}
