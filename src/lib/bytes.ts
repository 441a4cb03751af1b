// Copies of bytes that are somebody else's.

/** Bytes of one's own. `slice()` is none: a Uint8Array's copies, a Buffer's shows the same memory. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}
