// `dhow internal volume REQUEST`: one step on a volume's file system, in a process of its own. It ends with the engine that
// asked, unless the kernel holds it.
import { closeSync, constants, readdirSync, readlinkSync, statfsSync, statSync, writeSync } from "node:fs"
import { DhowError, describeError, errnoName } from "../lib/errors.ts"
import { check, libc } from "../lib/syscalls/libc.ts"
import { unmountAll } from "../lib/syscalls/mount.ts"
import { openBeneath } from "../lib/syscalls/open-in-root.ts"
import { mountDevice } from "./device-mount.ts"
import { formatImage, growImage, growMounted, mountImage } from "./image.ts"
import type { FileSystemUsage, Look, VolumeAnswer, VolumeRequest } from "./request.ts"

const PR_SET_PDEATHSIG = 1n
const SIGKILL = 9n

/** Returns the exit status. */
export async function volumeCommand([text = "{}"]: readonly string[]): Promise<number> {
  check(libc().prctl(Number(PR_SET_PDEATHSIG), SIGKILL, 0n, 0n, 0n), "prctl")
  try {
    say({ done: (await work(JSON.parse(text) as VolumeRequest)) ?? {} })
    return 0
  } catch (error) {
    const known = error instanceof DhowError ? error : undefined
    say({
      error: {
        kind: known?.kind ?? "internal",
        message: known?.message ?? describeError(error),
        ...(known?.hint === undefined ? {} : { hint: known.hint }),
      },
    })
    return 1
  }
}

function say(answer: VolumeAnswer): void {
  writeSync(1, `${JSON.stringify(answer)}\n`)
}

async function work(request: VolumeRequest): Promise<Look | FileSystemUsage | undefined> {
  switch (request.verb) {
    case "mount":
      await mountDevice(request)
      return undefined
    case "mount-image":
      mountImage(request.file, request.target)
      return undefined
    case "unmount":
      unmountAll(request.target)
      return undefined
    case "look":
      return look(request.target, request.subpath)
    case "format":
      formatImage(request.file, request.bytes)
      return undefined
    case "grow":
      if (request.target === undefined) growImage(request.file, request.bytes)
      else growMounted(request.file, request.target, request.bytes)
      return undefined
    case "usage": {
      const { bsize, blocks, bfree } = statfsSync(request.target)
      return { used: (blocks - bfree) * bsize, size: blocks * bsize }
    }
    default:
      return request satisfies never
  }
}

/** A subpath is written by whoever writes to the volume: it is resolved inside the volume, never above it. */
function look(target: string, subpath: string | undefined): Look {
  const path = subpath === undefined ? target : realPath(target, subpath)
  const isDirectory = statSync(path).isDirectory()
  return { path, isDirectory, isEmpty: isDirectory && readdirSync(path).length === 0 }
}

function realPath(target: string, subpath: string): string {
  let fd: number
  try {
    fd = openBeneath(target, subpath, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (cause) {
    if (errnoName(cause) === "EXDEV")
      throw new DhowError(
        "invalid",
        `path concatenation escapes the base directory, base: ${target}, subpath: ${subpath}`,
      )
    throw new DhowError("invalid", `cannot access path ${subpath} of the volume`, { cause })
  }
  try {
    return readlinkSync(`/proc/self/fd/${fd}`)
  } finally {
    closeSync(fd)
  }
}
