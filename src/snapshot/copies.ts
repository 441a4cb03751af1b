// The daemon's side of copying files into and out of containers: the container's own files are mounted for as long as it
// takes where they are not, and the work is done by a process of its own.

import { DhowError } from "../lib/errors.ts"
import { helperEnvironment } from "../lib/helper-environment.ts"
import { MS, mount } from "../lib/syscalls/mount.ts"
import type { Digest } from "../oci/digest.ts"
import type { PathStat } from "../wire/container.ts"
import type { Snapshotter } from "./contract.ts"
import type { TreeTotals } from "./copy/copy-tree.ts"
import type { CopyInRequest, CopyRequest, TreeRequest } from "./copy/request.ts"
import { FreshDirectories } from "./directories.ts"
import { type MountPlace, MountPlaces } from "./mount-places.ts"
import { readFailure } from "./tree-answer.ts"
import { processLines, processOutput } from "./tree-process.ts"

export type { TreeTotals } from "./copy/copy-tree.ts"
export type { CopyInRequest, CopyMount, CopyRequest, TreeRequest } from "./copy/request.ts"

/** A line that says what is at a path is a few hundred bytes. */
const LINE_LIMIT = 64 * 1024

export type Copies = {
  stat(request: CopyRequest): Promise<PathStat>
  /** The archive has to be read to its end, or its iterator returned. */
  out(request: CopyRequest, signal: AbortSignal): Promise<{ stat: PathStat; archive: AsyncGenerator<Uint8Array> }>
  in(request: CopyInRequest, archive: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>
  /** Makes a directory with all above it in a snapshot that nobody has mounted or written to yet. */
  makeDirectory(key: string, layers: readonly Digest[], path: string): Promise<void>
  /** Copies a tree of the host into an empty directory: how far it is, now and then, and what it came to at the end. */
  tree(request: TreeRequest, signal: AbortSignal): AsyncGenerator<TreeTotals>
  /** Mounts a snapshot that nobody has mounted, until it is disposed. */
  mount(key: string): MountPlace
  /** What is mounted at `path` now, whatever becomes of that, until it is disposed. */
  borrow(path: string): MountPlace
  /** Takes away what an engine before this one left mounted. */
  sweep(): void
}

export function openCopies(options: {
  readonly snapshotter: Snapshotter
  /** Directory for the mounts. */
  readonly directory: string
  readonly internalCommand: readonly string[]
}): Copies {
  const { snapshotter, directory, internalCommand } = options
  const places = new MountPlaces(directory)
  const directories = new FreshDirectories(snapshotter, (layers) =>
    places.hold((path) => snapshotter.view(layers, path)),
  )
  const command = (verb: string, request: CopyRequest): readonly string[] => [
    ...internalCommand,
    verb,
    JSON.stringify(request),
  ]
  return {
    async stat(request) {
      const { stat, archive } = await statAndRest(processOutput(command("copy-stat", request)))
      for await (const _none of archive);
      return stat
    },
    out: (request, signal) => statAndRest(processOutput(command("copy-out", request), signal)),
    in: (request, archive, signal) => feed(command("copy-in", request), archive, signal),
    makeDirectory: (key, layers, path) => directories.make(key, layers, path),
    tree: (request, signal) => processLines([...internalCommand, "copy-tree", JSON.stringify(request)], signal),
    mount: (key) => places.hold((path) => snapshotter.mount(key, path)),
    borrow: (path) => places.hold((place) => mount(path, place, { flags: MS.BIND })),
    sweep: () => places.sweep(),
  }
}

async function statAndRest(
  output: AsyncGenerator<Uint8Array>,
): Promise<{ stat: PathStat; archive: AsyncGenerator<Uint8Array> }> {
  let head = Buffer.alloc(0)
  for (;;) {
    const next = await output.next()
    if (next.done === true || head.length > LINE_LIMIT)
      throw new DhowError("internal", "A process that copies files has said nothing")
    head = Buffer.concat([head, next.value])
    const end = head.indexOf(0x0a)
    if (end < 0) continue
    const stat = JSON.parse(head.toString("utf8", 0, end)) as PathStat
    return { stat, archive: from(head.subarray(end + 1), output) }
  }
}

async function* from(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    if (first.length > 0) yield first
    yield* rest
  } finally {
    await rest.return(undefined)
  }
}

/** Gives a process its input at the pace at which it takes it. */
async function feed(command: readonly string[], input: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
  const child = Bun.spawn([...command], { env: helperEnvironment(), stdin: "pipe", stdout: "ignore", stderr: "pipe" })
  const kill = (): void => child.kill("SIGKILL")
  signal.addEventListener("abort", kill, { once: true })
  const complaint = new Response(child.stderr).text()
  try {
    const isOver = child.exited.then(() => true)
    for await (const chunk of input) {
      child.stdin.write(chunk)
      if (await Promise.race([isOver, flushed(child.stdin)])) break
    }
    await Promise.resolve(child.stdin.end()).catch(() => undefined)
    const status = await child.exited
    if (signal.aborted) throw new DhowError("cancelled", "The request was cancelled", { cause: signal.reason })
    if (status !== 0) throw readFailure(await complaint, command, status ?? child.signalCode)
  } finally {
    signal.removeEventListener("abort", kill)
    kill()
    await child.exited
  }
}

/** False when all is taken; a reader that has ended is told by its end. */
async function flushed(sink: Bun.FileSink): Promise<boolean> {
  await Promise.resolve(sink.flush()).catch(() => undefined)
  return false
}
