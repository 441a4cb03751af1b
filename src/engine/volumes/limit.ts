// Who keeps a volume's limit. The size of a file system in a file is one that every disk can keep.
import { DhowError } from "../../lib/errors.ts"
import { LEAST_IMAGE_BYTES } from "../../volume/image.ts"
import type { VolumeLimit } from "./record.ts"

/** Where a daemon's PATH is a user's, they are not in it. */
const PLACES = "/usr/sbin:/sbin"
let hasTools: boolean | undefined

export function limitFor(name: string, bytes: number): VolumeLimit {
  if (!canMake())
    throw new DhowError("invalid", `create ${name}: quota size requested but no quota support`, {
      hint: "Install the Debian package e2fsprogs: mkfs.ext4 makes the file system that holds no more than that",
    })
  if (bytes < LEAST_IMAGE_BYTES)
    throw new DhowError("invalid", `create ${name}: a size of ${bytes} bytes is too small for a file system`, {
      hint: `Ask for ${LEAST_IMAGE_BYTES >> 20}m or more`,
    })
  return { bytes, by: "image" }
}

function canMake(): boolean {
  hasTools ??= Bun.which("mkfs.ext4", { PATH: `${process.env["PATH"] ?? ""}:${PLACES}` }) !== null
  return hasTools
}
