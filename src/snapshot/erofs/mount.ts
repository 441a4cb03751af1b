// Mounting a layer from its two files: straight where the kernel can (6.12), through loop devices before that. Which of
// the two works is tried, not guessed from a version.
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { attachLoop } from "../../lib/syscalls/loop.ts"
import { MS, mount, unmount, unmountAll } from "../../lib/syscalls/mount.ts"
import { encodeTarHeader } from "../../lib/tar/writer.ts"
import { digestOf } from "../../oci/digest.ts"
import { SUPER_MAGIC } from "./format.ts"
import { writeIndex } from "./writer.ts"

export type MountWay = "file" | "loop"

export type LayerFiles = { readonly tar: string; readonly index: string }

export function mountErofs(way: MountWay, { tar, index }: LayerFiles, target: string): void {
  const options = { type: "erofs", flags: MS.RDONLY }
  if (way === "loop") {
    using data = attachLoop(tar)
    using metadata = attachLoop(index)
    mount(metadata.path, target, { ...options, data: `device=${data.path}` })
    return
  }
  // A path with a separator of mount options in it goes by a descriptor.
  const fd = /[,\\]/.test(tar) ? openSync(tar, "r") : undefined
  try {
    mount(index, target, { ...options, data: `device=${fd === undefined ? tar : `/proc/self/fd/${fd}`}` })
  } finally {
    if (fd !== undefined) closeSync(fd)
  }
}

export function isErofsMounted(target: string): boolean {
  try {
    return statfsSync(target).type >>> 0 === SUPER_MAGIC
  } catch {
    return false
  }
}

/**
 * How this host can mount a layer, found by mounting one in `place`, which must be where layers will be, since not every
 * file system below will do, and which nobody else uses; undefined where it cannot.
 */
export function probeErofs(place: string, ways: readonly MountWay[] = ["file", "loop"]): MountWay | undefined {
  const files = { tar: join(place, "tar"), index: join(place, "index") }
  const target = join(place, "target")
  // What a crash left.
  unmountAll(target)
  rmSync(place, { recursive: true, force: true })
  mkdirSync(target, { recursive: true, mode: 0o700 })
  try {
    makeSample(files)
    return ways.find((way) => works(way, files, target))
  } finally {
    rmSync(place, { recursive: true })
  }
}

const SAMPLE = "readable"

function makeSample({ tar, index }: LayerFiles): void {
  const content = Buffer.alloc(512)
  content.write(SAMPLE)
  const header = encodeTarHeader({ path: "sample", type: "file", size: content.length })
  writeFileSync(tar, Buffer.concat([header, content, Buffer.alloc(1024)]))
  const [from, to] = [openSync(tar, "r"), openSync(index, "wx+", 0o600)]
  try {
    writeIndex(digestOf(readFileSync(tar)), from, to)
  } finally {
    closeSync(from)
    closeSync(to)
  }
}

function works(way: MountWay, files: LayerFiles, target: string): boolean {
  try {
    mountErofs(way, files, target)
  } catch (error) {
    log.debug("EROFS cannot be mounted", { way, error: describeError(error) })
    return false
  }
  try {
    return readFileSync(join(target, "sample"), "latin1").startsWith(SAMPLE)
  } catch (error) {
    log.debug("EROFS can be mounted and not read", { way, error: describeError(error) })
    return false
  } finally {
    unmount(target)
  }
}
