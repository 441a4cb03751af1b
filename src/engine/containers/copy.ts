// Files in and out of a container, whether it runs or not. What is seen is its own files, its volumes and the files about
// its network, not what is mounted in memory. A container that does not run cannot be started or removed meanwhile, as
// in Docker: its files are mounted for the copy. One that runs may end and be removed: its files stay for the copy.
import { existsSync } from "node:fs"
import { posix } from "node:path"
import { answering } from "../../lib/answering.ts"
import { DhowError, isKind } from "../../lib/errors.ts"
import { resolveUser } from "../../runtime/user.ts"
import type { CopyMount, CopyRequest } from "../../snapshot/copies.ts"
import type { PathStat } from "../../wire/container.ts"
import { attributesOf } from "./attributes.ts"
import { mountImages, placedMounts } from "./image-mounts.ts"
import { parseMountMap, rangesOf } from "./mount-map.ts"
import { ownerOutside } from "./mount-owners.ts"
import { mountSource, runtimeMounts, sourcesOf } from "./mounts.ts"
import { donorOf } from "./namespaces.ts"
import { fileMounts } from "./network.ts"
import type { ContainerParts } from "./parts.ts"
import { containerPaths } from "./paths.ts"
import { type ContainerRecord, isRunning } from "./record.ts"
import { removeBundle } from "./teardown.ts"
import { type FoundMount, holdVolumes } from "./volume-holds.ts"

export async function statContainerPath(parts: ContainerParts, reference: string, path: string): Promise<PathStat> {
  const { record } = parts.store.resolve(reference)
  return await named(reference, path, () => withRoot(parts, record.id, (root) => parts.copies.stat({ ...root, path })))
}

export type PathArchive = { readonly stat: PathStat; readonly archive: AsyncIterable<Uint8Array> }

/** Resolves when there is something to send. The archive is to be read to its end, or its iterator returned. */
export async function archiveContainerPath(
  parts: ContainerParts,
  reference: string,
  { path, signal }: { readonly path: string; readonly signal: AbortSignal },
): Promise<PathArchive> {
  const { record } = parts.store.resolve(reference)
  const begun = Promise.withResolvers<PathArchive>()
  const over = Promise.withResolvers<void>()
  // A client that is gone before the first byte never begins to read, and must not keep the container's lock.
  signal.addEventListener("abort", () => over.resolve(), { once: true })
  // The root stays as it is until the last byte is read.
  const work = withRoot(parts, record.id, async (root) => {
    const { stat, archive } = await parts.copies.out({ ...root, path }, signal)
    begun.resolve({ stat, archive: until(archive, over.resolve) })
    await over.promise
  })
  work.catch(begun.reject)
  const found = await named(reference, path, () => begun.promise)
  parts.events.emit("container", "archive-path", record.id, attributesOf(record))
  return found
}

async function* until(source: AsyncGenerator<Uint8Array>, done: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* source
  } finally {
    await source.return(undefined)
    done()
  }
}

export type ExtractOptions = {
  readonly path: string
  readonly keepKinds: boolean
  /** Everything belongs to the container's user, where it has one. */
  readonly chown: boolean
  readonly signal: AbortSignal
}

export async function extractToContainer(
  parts: ContainerParts,
  reference: string,
  archive: AsyncIterable<Uint8Array>,
  { path, keepKinds, chown, signal }: ExtractOptions,
): Promise<void> {
  const { record } = parts.store.resolve(reference)
  const readOnlyRoot = record.hostConfig.ReadonlyRootfs === true
  await named(reference, path, () =>
    withRoot(parts, record.id, async (root) => {
      const request = { ...root, path, keepKinds, readOnlyRoot }
      const user = chown ? (record.config.User ?? "") : ""
      const owner = ownerAt(record, { path, root: root.root, user })
      return await parts.copies.in(owner === undefined ? request : { ...request, owner }, archive, signal)
    }),
  )
  parts.events.emit("container", "extract-to-dir", record.id, attributesOf(record))
}

/** Whose everything that is copied will be, on the disk; undefined for the archive's own owners. */
function ownerAt(
  { mounts, config }: ContainerRecord,
  { path, root, user }: { readonly path: string; readonly root: string; readonly user: string },
): { readonly uid: number; readonly gid: number } | undefined {
  const whole = posix.resolve("/", path)
  const mount = mounts.findLast(({ Destination: at }) => whole === at || whole.startsWith(`${at}/`))
  if (mount?.Map === undefined) {
    if (user === "") return undefined
    const { uid, gid } = resolveUser(root, user)
    return { uid, gid }
  }
  const ranges = rangesOf(parseMountMap(mount.Map), resolveUser(root, config.User ?? ""))
  return ownerOutside(user === "" ? { uid: 0, gid: 0 } : resolveUser(root, user), ranges)
}

/** In Docker's words. */
async function named<T>(container: string, path: string, body: () => Promise<T>): Promise<T> {
  try {
    return await body()
  } catch (error) {
    if (!isKind(error, "not-found") || error.message !== "No such file") throw error
    throw new DhowError("not-found", `Could not find the file ${path} in container ${container}`)
  }
}

type ContainerRoot = Omit<CopyRequest, "path">

async function withRoot<T>(parts: ContainerParts, id: string, body: (root: ContainerRoot) => Promise<T>): Promise<T> {
  const running = (): boolean => isRunning(parts.store.get(id).state)
  if (!running()) {
    const mine = await parts.locks.hold(id, async () => {
      if (running()) return undefined
      const { record } = parts.store.get(id)
      const paths = containerPaths(parts.config, id)
      await using held = await holdVolumes(parts.volumes, record.mounts)
      using mounted = parts.copies.mount(id)
      using _images = { [Symbol.dispose]: () => (hasImages(record) ? removeBundle(paths) : undefined) }
      const mounts = await runtimeMounts(mountImages(parts.snapshotter, { id, mounts: held.mounts }, paths), {
        rootfs: mounted.path,
        user: () => resolveUser(mounted.path, record.config.User ?? ""),
      })
      const volumes = mounts.flatMap(({ destination, source, type }) => {
        const writable = record.mounts.find((mount) => mount.Destination === destination)?.RW === true
        return type === "bind" && source !== undefined ? [{ source, destination, writable }] : []
      })
      return { result: await body({ root: mounted.path, mounts: [...networkFiles(parts, record), ...volumes] }) }
    })
    if (mine !== undefined) return mine.result
  }
  await answering(sourcesOf(parts.store.get(id).record.mounts))
  // Borrowed in one step with the look at its state: it may end and be removed at any instant from here on.
  const { record } = parts.store.get(id)
  const paths = containerPaths(parts.config, id)
  using borrowed = new DisposableStack()
  borrowed.use(parts.readers.hold(id))
  const root = borrowed.use(parts.copies.borrow(paths.rootfs)).path
  const placed = placedMounts(record.mounts, paths).map((mount) =>
    mount.Type === "image" ? { ...mount, Source: borrowed.use(parts.copies.borrow(mount.Source)).path } : mount,
  )
  await using held = await holdVolumes(parts.volumes, placed)
  const volumes = held.mounts.flatMap(volumeOf)
  return await body({ root, mounts: [...networkFiles(parts, record), ...volumes] })
}

function hasImages({ mounts }: ContainerRecord): boolean {
  return mounts.some(({ Type }) => Type === "image")
}

/** Of a running container, whose sources were all there when it began. */
function volumeOf(mount: FoundMount): CopyMount[] {
  if (mount.Type === "tmpfs" || (mount.found === undefined && !existsSync(mount.Source))) return []
  const source = mount.found?.path ?? mountSource(mount)
  return [{ source, destination: mount.Destination, writable: mount.RW }]
}

/** Those there are: a container that has never run has none. */
function networkFiles(parts: ContainerParts, { id, hostConfig }: ContainerRecord): CopyMount[] {
  const other = donorOf(hostConfig.NetworkMode ?? "")
  const owner = other === undefined ? id : parts.store.find(other)?.record.id
  if (owner === undefined) return []
  return fileMounts(containerPaths(parts.config, owner)).flatMap(({ source, destination }) =>
    source !== undefined && existsSync(source) ? [{ source, destination, writable: true }] : [],
  )
}
