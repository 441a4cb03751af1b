// What dhow does with volumes beyond Docker: names that change, copies, snapshots, archives, limits that grow.
import { decompress } from "../../lib/compression.ts"
import { DhowError } from "../../lib/errors.ts"
import { timestamp } from "../../lib/time.ts"
import type { Copies, TreeTotals } from "../../snapshot/copies.ts"
import type { VolumeProgress, VolumeSnapshotSummary } from "../../wire/system.ts"
import type { CopyOptions } from "../contract/volumes.ts"
import type { VolumeWork } from "../contract.ts"
import { createFilled, refuseTaken } from "./build.ts"
import { checkName } from "./options.ts"
import { isForeign, type Volume } from "./record.ts"
import { replaceFiles } from "./replace.ts"
import { resizeVolume } from "./resize.ts"
import type { VolumeSnapshot } from "./snapshot-rows.ts"
import { dropSnapshot, getSnapshot, newSnapshotName, snapshotPath, takeSnapshot } from "./snapshots.ts"
import type { LocalVolumes } from "./volumes.ts"

export type VolumeWorkParts = {
  readonly volumes: LocalVolumes
  readonly copies: Pick<Copies, "tree" | "out" | "in">
  /** Pauses the containers that write to it. */
  readonly holdStill: (volume: Volume) => Promise<AsyncDisposable>
  /** Gives it another name in the containers that mount it; `together` is in the same transaction. */
  readonly renameInContainers: (from: string, to: string, together: () => void) => void
}

export function openVolumeWork(parts: VolumeWorkParts): VolumeWork {
  const { volumes } = parts
  return {
    details: (filters) => volumes.details(filters),
    detail: (reference) => volumes.detail(reference),
    rename: async (reference, to) => renameVolume(parts, volumes.resolve(reference), to),
    clone: (reference, options) => clone(parts, volumes.resolve(reference), options),
    snapshot: (reference, options) => snapshot(parts, volumes.resolve(reference), options),
    snapshots: async (reference) => volumes.parts.snapshots.of(volumes.resolve(reference).id).map(summaryOf),
    removeSnapshot: async (reference, name) => dropSnapshot(volumes, volumes.resolve(reference), name),
    restore: (reference, options) => restore(parts, volumes.resolve(reference), options),
    export: (reference, options) => exportFiles(parts, volumes.resolve(reference), options),
    import: (name, archive, options) => importFiles(parts, { name, archive }, options),
    resize: async (reference, size) => {
      await resizeVolume(volumes, volumes.resolve(reference), size)
      return await volumes.detail(reference)
    },
  }
}

function renameVolume({ volumes, renameInContainers }: VolumeWorkParts, volume: Volume, to: string) {
  checkName(to, "rename")
  const { rows, events } = volumes.parts
  if (to === volume.name) throw new DhowError("invalid", `Cannot rename volume "${to}": that is its name`)
  if (rows.isTaken(to))
    throw new DhowError("conflict", `Cannot rename volume "${volume.name}": there is a volume "${to}"`)
  if (volumes.isBusy(volume))
    throw new DhowError("conflict", `Cannot rename volume "${volume.name}": its files are being copied`)
  renameInContainers(volume.name, to, () => rows.amend(volume.id, { name: to }))
  events.emit("volume", "rename", to, { driver: "local", oldName: volume.name })
  return volumes.describe(volumes.get(to))
}

async function* clone(
  parts: VolumeWorkParts,
  source: Volume,
  { to, pause, signal }: CopyOptions & { readonly to: string },
): AsyncGenerator<VolumeProgress> {
  const { volumes } = parts
  const { options, labels } = source.record
  refuseTaken(volumes, to)
  // Files of a server become the engine's by being copied.
  const planned = volumes.plan(to, { labels, ...(isForeign(source.record) ? {} : { options }) })
  await using _source = await reading(parts, source, { pause, what: `clone to ${to}` })
  const filling = createFilled(volumes, planned, (directory) =>
    parts.copies.tree({ from: volumes.parts.places.data(source), to: directory }, signal),
  )
  const made = yield* progressOf(filling)
  yield { Volume: volumes.describe(made) }
}

async function* snapshot(
  parts: VolumeWorkParts,
  volume: Volume,
  { name, pause, signal }: CopyOptions & { readonly name?: string },
): AsyncGenerator<VolumeProgress> {
  const { volumes } = parts
  const chosen = name ?? newSnapshotName(volumes, volume)
  await using _source = await reading(parts, volume, { pause, what: `snapshot ${chosen}` })
  const fill = (directory: string) =>
    parts.copies.tree({ from: volumes.parts.places.data(volume), to: directory }, signal)
  const taken = yield* progressOf(takeSnapshot(volumes, volume, { name: chosen, fill }))
  yield { Snapshot: summaryOf(taken) }
}

async function* restore(
  parts: VolumeWorkParts,
  volume: Volume,
  { snapshot: name, signal }: { readonly snapshot: string; readonly signal: AbortSignal },
): AsyncGenerator<VolumeProgress> {
  const { volumes } = parts
  const from = snapshotPath(volumes, volume, getSnapshot(volumes, volume, name))
  const fill = (to: string) => parts.copies.tree({ from, to }, signal)
  await using _work = working(volumes, volume, "restore")
  yield* progressOf(replaceFiles(volumes, volume, { verb: "restore", fill }))
  volumes.parts.events.emit("volume", "restore", volume.name, { driver: "local", snapshot: name })
  yield { Volume: volumes.describe(volume) }
}

async function exportFiles(
  parts: VolumeWorkParts,
  volume: Volume,
  { pause, signal }: CopyOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { volumes, copies } = parts
  const held = await reading(parts, volume, { pause, what: "export" })
  try {
    const root = volumes.parts.places.data(volume)
    const { archive } = await copies.out({ root, mounts: [], path: "/." }, signal)
    // A client that leaves before it has read a byte never begins to read.
    signal.addEventListener("abort", () => void held[Symbol.asyncDispose](), { once: true })
    return until(archive, held)
  } catch (error) {
    await held[Symbol.asyncDispose]()
    throw error
  }
}

async function* until(archive: AsyncGenerator<Uint8Array>, held: AsyncDisposable): AsyncGenerator<Uint8Array> {
  await using _held = held
  yield* archive
}

async function importFiles(
  { volumes, copies }: VolumeWorkParts,
  { name, archive }: { readonly name: string; readonly archive: AsyncIterable<Uint8Array> },
  { replace, options, labels, signal }: Parameters<VolumeWork["import"]>[2],
) {
  checkName(name, "import")
  const there = volumes.find(name)
  if (there !== undefined && !replace)
    throw new DhowError("conflict", `a volume named ${name} already exists`, {
      hint: "--replace gives it the archive's files in the place of its own",
    })
  const asked = { ...(options === undefined ? {} : { options }), ...(labels === undefined ? {} : { labels }) }
  const unpack = async (root: string): Promise<void> => {
    const { bytes } = await decompress(nonEmpty(name, archive), { signal })
    const request = { root, mounts: [], path: "/", readOnlyRoot: false, keepKinds: false, whole: true }
    await copies.in(request, bytes, signal)
  }
  const fill = (root: string): AsyncGenerator<never> => silent(unpack(root))
  if (there === undefined) {
    const planned = volumes.plan(name, asked)
    if (isForeign(planned.record))
      throw new DhowError("invalid", `Cannot import volume "${name}": with these options its files would be elsewhere`)
    for await (const _none of createFilled(volumes, planned, fill));
    return volumes.describe(volumes.get(name))
  }
  await using _work = working(volumes, there, "import")
  for await (const _none of replaceFiles(volumes, there, { verb: "import", fill }));
  return volumes.describe(there)
}

/** Says nothing until it is over. */
async function* silent(work: Promise<void>): AsyncGenerator<never> {
  yield* await work.then(() => [])
}

/** An empty archive is a slip: a file that was not found, a command before the pipe that failed. */
async function* nonEmpty(name: string, source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let some = false
  for await (const chunk of source) {
    some ||= chunk.length > 0
    yield chunk
  }
  if (!some) throw new DhowError("invalid", `Cannot import volume "${name}": the archive is empty`)
}

/** Mounted, not removed, and still if that is asked for. */
async function reading(
  { volumes, holdStill }: VolumeWorkParts,
  volume: Volume,
  { pause, what }: { readonly pause: boolean; readonly what: string },
): Promise<AsyncDisposable> {
  await using stack = new AsyncDisposableStack()
  stack.use(working(volumes, volume, what))
  stack.use(await volumes.parts.mounts.hold(volume))
  if (pause) stack.use(await holdStill(volume))
  return stack.move()
}

function working(volumes: LocalVolumes, volume: Volume, what: string): AsyncDisposable {
  const end = volumes.begin(volume, what)
  return {
    async [Symbol.asyncDispose]() {
      end()
    },
  }
}

/** Whoever stops listening stops the work. */
async function* progressOf<R>(totals: AsyncGenerator<TreeTotals, R>): AsyncGenerator<VolumeProgress, R> {
  let isOver = false
  try {
    for (;;) {
      const next = await totals.next()
      isOver = next.done === true
      if (next.done === true) return next.value
      yield { Files: next.value.files, Bytes: next.value.bytes, Shared: next.value.shared }
    }
  } finally {
    if (!isOver) await totals.return(undefined as R)
  }
}

function summaryOf({ name, createdAt, record }: VolumeSnapshot): VolumeSnapshotSummary {
  return { Name: name, CreatedAt: timestamp(createdAt), Files: record.files, Bytes: record.bytes }
}
