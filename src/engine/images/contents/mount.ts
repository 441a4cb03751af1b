// Images mounted for a user to look at: read-only, without setuid programs and devices, kept from removal, and still there
// when the engine comes back. The row comes before the mount, so that no crash leaves a mount that nobody knows of.

import { randomBytes } from "node:crypto"
import { mkdirSync, readdirSync, realpathSync, rmdirSync, type Stats, statSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { crashpoint } from "../../../lib/crashpoint.ts"
import { DhowError, errnoName } from "../../../lib/errors.ts"
import { ensureDirectory } from "../../../lib/files.ts"
import { log } from "../../../lib/log.ts"
import { mountedAt } from "../../../lib/mountinfo.ts"
import { MS, mount, unmount, unmountAll } from "../../../lib/syscalls/mount.ts"
import { formatPlatform, type Platform } from "../../../oci/platform.ts"
import type { ImageMount } from "../../../wire/image-contents.ts"
import { emitImageEvent, familiar, type ImagesContext, isCanonical, shortId } from "../context.ts"
import type { MountRow } from "../mount-rows.ts"
import { platformOf } from "../records.ts"
import { findImage } from "../resolve.ts"

const FLAGS = MS.REMOUNT | MS.BIND | MS.RDONLY | MS.NOSUID | MS.NODEV

/** `directory` is where mounts go that nobody chose a place for. */
export function imageMounts(context: ImagesContext, directory: string) {
  const { mounts, records, snapshotter } = context

  function mountImage(
    reference: string,
    { target, platform }: { readonly target?: string; readonly platform?: Platform },
  ): ImageMount {
    const { id } = findImage(records, reference, platform)
    const layers = context.configs.read(id).rootfs.diff_ids
    const { path, made } = target === undefined ? ownPlace(id) : chosenPlace(target)
    if (mounts.all().some((row) => row.path === path))
      throw new DhowError("conflict", `Cannot mount image "${reference}": there is one at "${path}" already`)
    mounts.insert(path, id, made)
    crashpoint("images.mount:after-row")
    try {
      if (made) mkdirSync(path, { mode: 0o755 })
      snapshotter.view(layers, path)
      crashpoint("images.mount:after-mount")
      mount("none", path, { flags: FLAGS })
    } catch (error) {
      release({ path, image_id: id, made: made ? 1 : 0, created_at: 0 })
      throw new DhowError("internal", `Cannot mount image "${reference}" at "${path}"`, { cause: error })
    }
    context.lastUsed.touch(id)
    emitImageEvent(context, "mount", { id })
    return describe(mounts.ofImage(id).find((row) => row.path === path)!)
  }

  function ownPlace(id: string): { path: string; made: boolean } {
    ensureDirectory(directory, 0o700)
    return { path: join(realpathSync(directory), `${shortId(id)}-${randomBytes(3).toString("hex")}`), made: true }
  }

  function chosenPlace(target: string): { path: string; made: boolean } {
    if (!target.startsWith("/")) throw new DhowError("invalid", `Mount point "${target}" is not an absolute path`)
    let found: Stats | undefined
    try {
      found = statSync(target, { throwIfNoEntry: false })
      if (found === undefined) return { path: join(realpathSync(dirname(target)), basename(target)), made: true }
    } catch (cause) {
      throw new DhowError("invalid", `Mount point "${target}" cannot be used`, { cause })
    }
    if (!found.isDirectory()) throw new DhowError("invalid", `Mount point "${target}" is no directory`)
    if (readdirSync(target).length > 0)
      throw new DhowError("conflict", `Mount point "${target}" is not empty`, { hint: "Name another directory" })
    return { path: realpathSync(target), made: false }
  }

  /** Mount first, row last: a crash in between leaves a row, which the next start takes away. */
  function release(row: MountRow): void {
    if (mountedAt(row.path)?.type === "overlay") unmount(row.path)
    crashpoint("images.unmount:before-row")
    removeIfEmpty(row)
    mounts.remove(row.path)
  }

  /** By where it is, or all mounts of an image. Returns where they were. */
  function unmountImage(reference: string): readonly string[] {
    const rows = reference.startsWith("/") ? rowsAt(reference) : mounts.ofImage(findImage(records, reference).id)
    if (rows.length === 0) throw new DhowError("not-found", `Image "${reference}" is not mounted`)
    for (const row of rows) {
      release(row)
      emitImageEvent(context, "unmount", { id: row.image_id })
    }
    return rows.map(({ path }) => path)
  }

  function rowsAt(path: string): readonly MountRow[] {
    const found = mounts.all().filter((row) => row.path === path)
    if (found.length > 0) return found
    let real: string | undefined
    try {
      real = realpathSync(path)
    } catch {
      // Nothing is there, and so nothing is mounted there.
    }
    return mounts.all().filter((row) => row.path === real)
  }

  function describe(row: MountRow): ImageMount {
    const image = records.image(row.image_id)
    const names = records
      .tagsOf(row.image_id)
      .flatMap(({ reference }) => (isCanonical(reference) ? [] : familiar(reference)))
    return {
      Id: row.image_id,
      Names: names,
      Platform: image === undefined ? "" : formatPlatform(platformOf(image)),
      Target: row.path,
      Created: Math.floor(row.created_at / 1000),
    }
  }

  return {
    mount: mountImage,
    unmount: unmountImage,
    isAt: (path: string): boolean => mounts.all().some((row) => row.path === path),
    list: (): ImageMount[] => mounts.all().map(describe),
    /** At the start: rows of mounts that a reboot or a crash took are forgotten, and what has no row goes. */
    reconcile(): void {
      for (const row of mounts.all())
        if (!isFinished(row.path)) {
          log.info("An image is not mounted any more", { path: row.path, image: row.image_id })
          release(row)
        }
      ensureDirectory(directory, 0o700)
      const known = new Set(mounts.all().map(({ path }) => path))
      for (const name of readdirSync(directory)) {
        const path = join(realpathSync(directory), name)
        if (known.has(path)) continue
        unmountAll(path)
        removeIfEmpty({ path, made: 1 })
      }
    },
  }
}

/** One that a crash left with setuid programs in force is not what anybody asked for. */
function isFinished(path: string): boolean {
  const found = mountedAt(path)
  return found?.type === "overlay" && found.options.includes("nosuid")
}

function removeIfEmpty({ path, made }: Pick<MountRow, "path" | "made">): void {
  if (made === 0) return
  try {
    rmdirSync(path)
  } catch (error) {
    const code = errnoName(error)
    if (code !== "ENOENT" && code !== "ENOTEMPTY" && code !== "EBUSY") throw error
  }
}
