// Loop devices: a file as a block device, read-only unless it is asked for otherwise. The device frees itself when its last
// user, descriptor or mount, is gone.
import { closeSync, openSync } from "node:fs"
import { errnoName } from "../errors.ts"
import { check, libc } from "./libc.ts"

const LOOP_CTL_GET_FREE = 0x4c82n
const LOOP_CONFIGURE = 0x4c0an
const LO_FLAGS_READ_ONLY = 1
const LO_FLAGS_AUTOCLEAR = 4
const CONFIG_SIZE = 304
const FLAGS_OFFSET = 60
const BLOCK_SIZE = 512
const ATTEMPTS = 20

export type LoopDevice = Disposable & { readonly path: string }

/** The device lives until it is disposed of and unmounted. */
export function attachLoop(file: string, { writable = false } = {}): LoopDevice {
  const backing = openSync(file, writable ? "r+" : "r")
  const control = openSync("/dev/loop-control", "r")
  try {
    for (let attempt = 1; ; attempt++) {
      const number = check(libc().ioctl(control, LOOP_CTL_GET_FREE, null), "ioctl", "/dev/loop-control")
      const path = `/dev/loop${number}`
      try {
        return configure(path, { backing, writable })
      } catch (error) {
        // Somebody else was faster.
        if (errnoName(error) !== "EBUSY" || attempt === ATTEMPTS) throw error
      }
    }
  } finally {
    closeSync(control)
    closeSync(backing)
  }
}

type Backing = { readonly backing: number; readonly writable: boolean }

function configure(path: string, { backing, writable }: Backing): LoopDevice {
  const fd = openSync(path, writable ? "r+" : "r")
  const config = Buffer.alloc(CONFIG_SIZE)
  config.writeUInt32LE(backing, 0)
  config.writeUInt32LE(BLOCK_SIZE, 4)
  config.writeUInt32LE((writable ? 0 : LO_FLAGS_READ_ONLY) | LO_FLAGS_AUTOCLEAR, FLAGS_OFFSET)
  try {
    check(libc().ioctl(fd, LOOP_CONFIGURE, config), "ioctl", path)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return { path, [Symbol.dispose]: () => closeSync(fd) }
}
