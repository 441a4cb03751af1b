// A file system that stops answering, as a dead NFS server's does: FUSE, served from this process. Its root can be looked
// at; whoever looks for a name in it hangs in the kernel, where no signal reaches, until `close`.
import { closeSync, mkdirSync, openSync, read, writeSync } from "node:fs"
import { constants } from "node:os"
import { cstring, libc } from "../../src/lib/syscalls/libc.ts"
import { MS, mount, unmount } from "../../src/lib/syscalls/mount.ts"

const OP = { lookup: 1, forget: 2, getattr: 3, init: 26, interrupt: 36 } as const
const ENOSYS = constants.errno.ENOSYS
const HEAD = 16
const MNT_FORCE = 1
const DIRECTORY = 0o40755
const LONG = 1_000_000n

export class SilentFiles {
  readonly path: string
  readonly #fd: number
  readonly #asked = Promise.withResolvers<void>()
  #isClosed = false

  private constructor(path: string, fd: number) {
    this.path = path
    this.#fd = fd
    this.#serve()
  }

  /** Throws where the kernel has no FUSE. */
  static mountAt(path: string): SilentFiles {
    mkdirSync(path, { recursive: true })
    const fd = openSync("/dev/fuse", "r+")
    const data = `fd=${fd},rootmode=40000,user_id=0,group_id=0,allow_other`
    try {
      mount("silent", path, { type: "fuse", flags: MS.NOSUID | MS.NODEV, data })
    } catch (error) {
      closeSync(fd)
      throw error
    }
    return new SilentFiles(path, fd)
  }

  /** Resolves once somebody has asked what is never answered. */
  get asked(): Promise<void> {
    return this.#asked.promise
  }

  /** The connection breaks: all who hang go on, with an error. */
  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    // Forced, it breaks the connection before it looks whether the mount is busy; closing would wait for our own read.
    libc().umount2(cstring(this.path), MNT_FORCE)
    unmount(this.path)
    closeSync(this.#fd)
  }

  #serve(): void {
    const buffer = Buffer.alloc(256 * 1024)
    read(this.#fd, buffer, 0, buffer.length, null, (error) => {
      if (error !== null || this.#isClosed) return
      this.#answer(buffer)
      this.#serve()
    })
  }

  #answer(request: Buffer): void {
    const unique = request.readBigUInt64LE(8)
    switch (request.readUInt32LE(4)) {
      case OP.init: {
        const reply = Buffer.alloc(64)
        reply.writeUInt32LE(7, 0)
        reply.writeUInt32LE(31, 4)
        reply.writeUInt32LE(65_536, 20)
        reply.writeUInt32LE(1, 24)
        this.#reply(unique, reply)
        break
      }
      case OP.getattr: {
        const reply = Buffer.alloc(104)
        reply.writeBigUInt64LE(LONG, 0)
        reply.writeBigUInt64LE(1n, 16)
        reply.writeUInt32LE(DIRECTORY, 76)
        reply.writeUInt32LE(2, 80)
        reply.writeUInt32LE(4096, 96)
        this.#reply(unique, reply)
        break
      }
      case OP.lookup:
        this.#asked.resolve()
        break
      case OP.forget:
      case OP.interrupt:
        break
      default:
        // Newer ways to ask the same, which the kernel then leaves.
        this.#reply(unique, Buffer.alloc(0), -ENOSYS)
    }
  }

  #reply(unique: bigint, body: Buffer, error = 0): void {
    const head = Buffer.alloc(HEAD)
    head.writeUInt32LE(HEAD + body.length, 0)
    head.writeInt32LE(error, 4)
    head.writeBigUInt64LE(unique, 8)
    writeSync(this.#fd, Buffer.concat([head, body]))
  }
}
