// What the engine asks of the process that works on a volume's file system, and what that answers: one line of JSON. Such a
// process may hang in the kernel where a server is dead; the engine does not.
import type { ErrorKind } from "../lib/errors.ts"

export type VolumeRequest =
  /** Mounts what the options of a volume name. */
  | {
      readonly verb: "mount"
      readonly device: string
      readonly type: string
      readonly words: string
      readonly target: string
    }
  /** Mounts the file system in a file. */
  | { readonly verb: "mount-image"; readonly file: string; readonly target: string }
  | { readonly verb: "unmount"; readonly target: string }
  /** Where a path of a volume really is, and whether there is anything. */
  | { readonly verb: "look"; readonly target: string; readonly subpath?: string }
  /** Makes a file that holds an empty file system. */
  | { readonly verb: "format"; readonly file: string; readonly bytes: number }
  /** Gives a file system all of its file, which is made this long; `target` is where it is mounted, if it is. */
  | { readonly verb: "grow"; readonly file: string; readonly target?: string; readonly bytes: number }
  /** What a file system holds at most, and now. */
  | { readonly verb: "usage"; readonly target: string }

export type Look = { readonly path: string; readonly isDirectory: boolean; readonly isEmpty: boolean }
export type FileSystemUsage = { readonly used: number; readonly size: number }

export type VolumeAnswer =
  | { readonly done: Look | FileSystemUsage | Record<string, never> }
  | { readonly error: { readonly kind: ErrorKind; readonly message: string; readonly hint?: string } }
