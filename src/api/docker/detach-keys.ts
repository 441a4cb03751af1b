// The key sequence that takes a client off a terminal and leaves the container running; ctrl-p ctrl-q unless it chose
// another. Keys that begin the sequence are held back until it is clear whether it follows.
import type { ByteSink } from "../http/reply.ts"

/** Passes input on until the sequence comes; then calls `detached` once and passes nothing more. */
export function watchForDetach(sink: ByteSink, keys: Uint8Array, detached: () => void): ByteSink {
  let matched = 0
  let over = false
  return {
    write(chunk) {
      if (over) return true
      if (matched === 0 && !chunk.includes(keys[0]!)) return sink.write(chunk)
      const out: number[] = []
      for (const byte of chunk) {
        while (matched > 0 && byte !== keys[matched]) {
          const shorter = fallback(keys, matched)
          out.push(...keys.subarray(0, matched - shorter))
          matched = shorter
        }
        if (byte === keys[matched]) matched++
        else out.push(byte)
        if (matched === keys.length) {
          over = true
          break
        }
      }
      const taken = out.length === 0 || sink.write(Uint8Array.from(out))
      if (over) detached()
      return taken
    },
    drained: () => sink.drained(),
    end() {
      if (over) return
      if (matched > 0) sink.write(keys.slice(0, matched))
      sink.end()
    },
  }
}

/** How many of the `matched` keys still count after a byte did not fit: the longest proper prefix that is also a suffix. */
function fallback(keys: Uint8Array, matched: number): number {
  for (let length = matched - 1; length > 0; length--) {
    let same = true
    for (let i = 0; i < length; i++) if (keys[i] !== keys[matched - length + i]) same = false
    if (same) return length
  }
  return 0
}
