// A real content store, snapshotter and database in a directory of their own, with the image use-cases on top.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { ContentStore } from "../../src/content/contract.ts"
import { openContentStore } from "../../src/content/store.ts"
import { type Collector, openCollector } from "../../src/engine/gc.ts"
import type { ContainerUse } from "../../src/engine/images/context.ts"
import { openImages } from "../../src/engine/images/images.ts"
import { registryRecords } from "../../src/engine/registry/records.ts"
import { copyOf } from "../../src/lib/bytes.ts"
import { ensureDirectory } from "../../src/lib/files.ts"
import type { TarInput } from "../../src/lib/tar/writer.ts"
import { writeTar } from "../../src/lib/tar/writer.ts"
import type { Digest } from "../../src/oci/digest.ts"
import { openRegistries } from "../../src/registry/client.ts"
import type { Registries } from "../../src/registry/contract.ts"
import type { Snapshotter } from "../../src/snapshot/contract.ts"
import { openSnapshotter, type StorageDriver } from "../../src/snapshot/open.ts"
import { Database } from "../../src/state/database.ts"
import type { ProgressLine } from "../../src/wire/image.ts"
import { unmountBelow } from "../snapshot/fixture.ts"

type RegistriesOptions = Parameters<typeof openRegistries>[0]

export const internalCommand = [process.execPath, join(import.meta.dir, "../snapshot/internal.ts")]

export type Fixture = Disposable & {
  readonly root: string
  readonly database: Database
  readonly content: ContentStore
  readonly snapshotter: Snapshotter
  readonly collector: Collector
  readonly registries: Registries
  readonly images: ReturnType<typeof openImages>
  readonly events: string[]
  readonly containers: ContainerUse[]
  readonly lines: ProgressLine[]
  readonly progress: (line: ProgressLine) => void
}

export function openFixture(existing?: string, registry: Partial<RegistriesOptions> = {}): Fixture {
  const root = existing ?? mkdtempSync(join(tmpdir(), "dhow-images-"))
  const database = Database.open(join(root, "dhow.db"))
  ensureDirectory(join(root, "snapshots"))
  const content = openContentStore(database, join(root, "content"))
  const snapshotter = openSnapshotter(database, {
    driver: (process.env["DHOW_STORAGE_DRIVER"] ?? "auto") as StorageDriver,
    directory: join(root, "snapshots"),
    mounts: join(root, "layers"),
    internalCommand,
  })
  const pushed = registryRecords(database)
  const collector = openCollector({ database, content, snapshotter, held: () => pushed.contents() })
  const events: string[] = []
  const containers: ContainerUse[] = []
  const lines: ProgressLine[] = []
  const registries = openRegistries({ settings: () => ({}), certificates: [], ...registry })
  const images = openImages({
    root,
    internalCommand,
    database,
    content,
    snapshotter,
    collector,
    registries,
    emit: (action, id, { name }) => events.push(`${action} ${name ?? id}`),
    containers: () => containers,
  })
  return {
    ...{ root, database, content, snapshotter, collector, registries, images, events, containers, lines },
    progress: (line) => lines.push(line),
    [Symbol.dispose]() {
      database.close()
      unmountBelow(root)
      // A layer's process may still be making it durable, and a file that goes meanwhile ends rmSync early.
      for (let tries = 0; tries < 10 && existsSync(root); tries++) rmSync(root, { recursive: true, force: true })
    },
  }
}

export function mountPoint({ root }: Fixture): string {
  const target = join(root, "mounted")
  mkdirSync(target, { recursive: true })
  return target
}

/** Where the files of these layers can be seen. */
export function look(fixture: Fixture, layers: readonly Digest[]): string {
  fixture.snapshotter.view(layers, mountPoint(fixture))
  return mountPoint(fixture)
}

export async function tarOf(entries: readonly TarInput[]): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(Buffer.concat(await Array.fromAsync(writeTar(entries))))
}

export function file(path: string, content: string | Uint8Array): TarInput {
  return { path, type: "file", content: typeof content === "string" ? Buffer.from(content) : content }
}

export function streamFrom(bytes: Uint8Array): ReadableStream<Uint8Array> {
  return new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
}

/** All bytes of a stream whose pieces may be used again for the next one. */
export async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for await (const piece of stream) pieces.push(copyOf(piece))
  return new Uint8Array(Buffer.concat(pieces))
}

export const never = (): AbortSignal => new AbortController().signal

export const filters = (given: Record<string, readonly string[]> = {}): ReadonlyMap<string, readonly string[]> =>
  new Map(Object.entries(given))
