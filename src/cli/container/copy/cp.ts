// dhow cp: files between this host and a container, whether that runs or not.
import { lstatSync, realpathSync, statSync } from "node:fs"
import { dirname, posix, resolve } from "node:path"
import type { Client } from "../../../client/client.ts"
import { containerArchive, putContainerArchive, statContainerPath } from "../../../client/containers.ts"
import { DhowError, isKind } from "../../../lib/errors.ts"
import { isTerminal } from "../../../lib/syscalls/terminal.ts"
import type { PathStat } from "../../../wire/container.ts"
import { defineCommand } from "../../command.ts"
import { boolean } from "../../flags/flags.ts"
import { printError, writeAll } from "../../output.ts"
import { humanSize } from "../../render/human.ts"
import { readDescriptor } from "../../terminal/descriptors.ts"
import { planCopy, type Source, splitArgument, splitEntry, type Target } from "./names.ts"
import { packTree } from "./pack.ts"
import { unpackTree } from "./unpack.ts"

/** Bits of Go's FileMode. */
const DIRECTORY = 2 ** 31
const SYMLINK = 2 ** 27
const has = ({ mode }: PathStat, bit: number): boolean => Math.floor(mode / bit) % 2 === 1

type Options = { readonly follow: boolean; readonly archive: boolean }
type Place = { readonly container: string; readonly path: string }

export const cp = defineCommand({
  usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n        dhow cp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
  summary: "Copy files between a container and this host",
  flags: {
    archive: boolean("a", "Give what is copied to the container's user"),
    "follow-link": boolean("L", "Copy what a symbolic link SRC_PATH leads to"),
    quiet: boolean("q", "Do not say what was copied"),
  } as const,
  args: [2, 2],
  examples: ["dhow cp app.conf web:/etc/", "dhow cp web:/var/log/. logs", "dhow cp web:/etc - | tar -t"],
  async run({ client }, flags, [from = "", to = ""]) {
    if (from === "") throw new DhowError("invalid", "source can not be empty")
    if (to === "") throw new DhowError("invalid", "destination can not be empty")
    const source = splitArgument(from)
    const target = splitArgument(to)
    const options = { follow: flags["follow-link"] === true, archive: flags.archive === true }
    if (source.container !== undefined && target.container !== undefined)
      throw new DhowError("invalid", "copying between containers is not supported", {
        hint: `Try: dhow cp ${from} - | dhow cp - ${to}`,
      })
    const count = new Count()
    if (source.container !== undefined)
      await fromContainer(client, { container: source.container, path: source.path }, target.path, {
        ...options,
        count,
      })
    else if (target.container !== undefined)
      await toContainer(client, source.path, { container: target.container, path: target.path }, { ...options, count })
    else throw new DhowError("invalid", "must specify at least one container source")
    if (flags.quiet !== true && isTerminal(1)) printError(`Successfully copied ${humanSize(count.bytes, 3)} to ${to}`)
    return 0
  },
})

class Count {
  bytes = 0

  async *of(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.bytes += chunk.length
      yield chunk
    }
  }
}

async function fromContainer(
  client: Client,
  from: Place,
  to: string,
  { follow, count }: Options & { readonly count: Count },
): Promise<void> {
  if (to === "-" && isTerminal(1))
    throw new DhowError("invalid", "An archive is not for a terminal", { hint: "Redirect the output" })
  const target = to === "-" ? undefined : hostTarget(to)
  const { path, rename } = follow ? await followed(client, from) : { path: from.path, rename: undefined }
  const { stat, archive } = await containerArchive(client, from.container, path)
  if (target === undefined) {
    for await (const chunk of count.of(archive)) writeAll(1, chunk)
    return
  }
  const source: Source = { path, isDirectory: has(stat, DIRECTORY), rename }
  try {
    await unpackTree(count.of(archive), planCopy(source, target))
  } finally {
    await archive.return(undefined)
  }
}

/** The link's own name stays the name of the copy. */
async function followed(client: Client, { container, path }: Place): Promise<{ path: string; rename?: string }> {
  const stat = await statContainerPath(client, container, path)
  if (!has(stat, SYMLINK)) return { path }
  return { path: stat.linkTarget, rename: splitEntry(path).base }
}

/** A path of this host, links followed; its directory has to be there. */
function hostTarget(path: string): Target {
  const full = `${resolve(path)}${/\/\.?$/.test(path) ? "/" : ""}`
  const stat = statSync(full, { throwIfNoEntry: false })
  if (stat !== undefined) return { path: realpathSync(full), exists: true, isDirectory: stat.isDirectory() }
  const parent = dirname(resolve(path))
  if (statSync(parent, { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new DhowError("invalid", `invalid output path: directory ${JSON.stringify(parent)} does not exist`)
  return { path: full, exists: false, isDirectory: false }
}

async function toContainer(
  client: Client,
  from: string,
  to: Place,
  { follow, archive, count }: Options & { readonly count: Count },
): Promise<void> {
  const target = await containerTarget(client, to)
  if (from === "-") {
    if (!target.isDirectory)
      throw new DhowError("invalid", `destination "${to.container}:${to.path}" must be a directory`)
    return await putContainerArchive(client, to.container, target.path, { archive: readDescriptor(0), chown: archive })
  }
  const path = /\/\.?$/.test(from) ? `${resolve(from)}${from.endsWith("/.") ? "/." : "/"}` : resolve(from)
  const stat = (follow || /\/\.?$/.test(from) ? statSync : lstatSync)(path, { throwIfNoEntry: false })
  if (stat === undefined) throw new DhowError("invalid", `${from}: no such file or directory`)
  const source: Source = { path, isDirectory: stat.isDirectory() }
  const { directory, rename } = planCopy(source, target)
  const real = follow ? realpathSync(path) : path
  const bytes = packTree(real, rename?.to ?? splitEntry(path).base)
  await putContainerArchive(client, to.container, directory, { archive: count.of(bytes), chown: archive })
}

/** A symbolic link is followed, also to what is not there yet. */
async function containerTarget(client: Client, { container, path }: Place): Promise<Target> {
  let place = path
  try {
    let stat = await statContainerPath(client, container, place)
    if (has(stat, SYMLINK)) {
      place = posix.resolve(dirname(path), stat.linkTarget)
      stat = await statContainerPath(client, container, place)
    }
    return { path: place, exists: true, isDirectory: has(stat, DIRECTORY) }
  } catch (error) {
    // Whether the container is there, or the directory of the path, the daemon says when it is asked to unpack.
    if (!isKind(error, "not-found")) throw error
    return { path: place, exists: false, isDirectory: false }
  }
}
