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
/** c_lflag comes behind three other words. */
const LOCAL_FLAGS = 3
const ECHO = 0o10

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
  return change(fd, (modes) => terminal().cfmakeraw(modes))
}

/** What is typed is not shown, for a password. */
export function hideInput(fd: number): () => void {
  return change(fd, (modes) => {
    const words = new Uint32Array(modes.buffer)
    words[LOCAL_FLAGS]! &= ~ECHO
  })
}

function change(fd: number, edit: (modes: Uint8Array<ArrayBuffer>) => void): () => void {
  const before = new Uint8Array(TERMIOS_SIZE)
  if (terminal().tcgetattr(fd, before) !== 0) return () => {}
  const changed = before.slice()
  edit(changed)
  terminal().tcsetattr(fd, TCSADRAIN, changed)
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
