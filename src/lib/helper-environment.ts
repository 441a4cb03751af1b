// The environment of processes that this program starts from itself for one piece of work. Bun's collector lets a heap
// grow by how much memory the machine has; a helper that lives for a second would end before its first full collection.

/** Bytes of memory that a helper's heap is dimensioned for. No limit: it may take more where it needs it. */
const HEAP_FOR = 60_000_000

export function helperEnvironment(): Record<string, string | undefined> {
  return { ...process.env, BUN_JSC_forceRAMSize: String(HEAP_FOR) }
}
