// Terminal modes and sizes: raw mode is undone to exactly what was found.
import { dlopen } from "bun:ffi"
import { fstatSync } from "node:fs"

const SIGNATURES = {
  isatty: { args: ["i32"], returns: "i32" },
  tcgetattr: { args: ["i32", "ptr"], returns: "i32" },
  tcsetattr: { args: ["i32", "i32", "ptr"], returns: "i32" },
  cfmakeraw: { args: ["ptr"], returns: "void" },
  ioctl: { args: ["i32", "u64", "ptr"], returns: "i32" },
} as const

const TCSADRAIN = 1
const TIOCGWINSZ = 0x5413n
/** Larger than struct termios on every architecture. */
const TERMIOS_SIZE = 128

type Library = ReturnType<typeof dlopen<typeof SIGNATURES>>
let library: Library | undefined

function terminal(): Library["symbols"] {
  library ??= dlopen("libc.so.6", SIGNATURES)
  return library.symbols
}

export function isTerminal(fd: number): boolean {
  try {
    // The library is loaded only for a character device, which pipes and files are not.
    return fstatSync(fd).isCharacterDevice() && terminal().isatty(fd) === 1
  } catch {
    return false
  }
}

/** Puts the terminal into raw mode; the function returned restores it, once. */
export function makeRaw(fd: number): () => void {
  const before = new Uint8Array(TERMIOS_SIZE)
  if (terminal().tcgetattr(fd, before) !== 0) return () => {}
  const raw = before.slice()
  terminal().cfmakeraw(raw)
  terminal().tcsetattr(fd, TCSADRAIN, raw)
  let restored = false
  return () => {
    if (restored) return
    restored = true
    terminal().tcsetattr(fd, TCSADRAIN, before)
  }
}

export function windowSize(fd: number): { height: number; width: number } | undefined {
  const size = new Uint16Array(4)
  if (terminal().ioctl(fd, TIOCGWINSZ, size) !== 0) return undefined
  const [height = 0, width = 0] = size
  return height === 0 && width === 0 ? undefined : { height, width }
}
