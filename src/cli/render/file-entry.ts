// Files of images in ls's words.
import type { FileEntry, FileType } from "../../wire/image-contents.ts"
import { shownName } from "./names.ts"

const LETTERS: Readonly<Record<FileType, string>> = {
  file: "-",
  directory: "d",
  symlink: "l",
  "character-device": "c",
  "block-device": "b",
  fifo: "p",
}

/** "drwxr-xr-x" */
export function modeText({ type, mode }: Pick<FileEntry, "type" | "mode">): string {
  const letters = [...LETTERS[type], ..."rwxrwxrwx"].map((letter, at) =>
    at === 0 || mode & (0o400 >> (at - 1)) ? letter : "-",
  )
  const special = (bit: number, at: number, [set, alone]: readonly [string, string]): void => {
    if (mode & bit) letters[at] = letters[at] === "-" ? alone : set
  }
  special(0o4000, 3, ["s", "S"])
  special(0o2000, 6, ["s", "S"])
  special(0o1000, 9, ["t", "T"])
  return letters.join("")
}

export function ownerText({ uid, gid }: Pick<FileEntry, "uid" | "gid">): string {
  return `${uid}:${gid}`
}

/** "/etc/mtab -> /proc/mounts", with a slash after a directory. */
export function pathText(path: string, { type, target }: Pick<FileEntry, "type" | "target">): string {
  const name = `/${shownName(path)}${type === "directory" ? "/" : ""}`
  return target === undefined ? name : `${name} -> ${shownName(target)}`
}

export const CHANGE_LETTERS = { added: "A", modified: "C", removed: "D" } as const
