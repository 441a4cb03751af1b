// The objects of dhow's routes under /dhow/platforms. Types only.

export type PlatformState =
  /** The processor runs it. */
  | "native"
  /** The kernel hands its programs to an emulator. */
  | "emulated"
  /** An emulator is installed, and not registered so that containers can use it. */
  | "installed"
  /** Nothing that could run it is here. */
  | "missing"

export type PlatformStatus = {
  /** "linux/arm64" */
  Platform: string
  State: PlatformState
  /** Path of the emulator, "" without. */
  Emulator: string
  /** Name in /proc/sys/fs/binfmt_misc, "" without. */
  Handler: string
  /** What keeps it from working, for a person; "" where nothing does. */
  Problem: string
}
