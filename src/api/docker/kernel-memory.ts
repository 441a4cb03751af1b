// Limits of the kernel's own memory, which current kernels do not have: as on Docker they are discarded with a warning.
const LIMIT =
  "Your kernel does not support kernel memory limit capabilities or the cgroup is not mounted. Limitation discarded."
const TCP_LIMIT =
  "Your kernel does not support kernel memory TCP limit capabilities or the cgroup is not mounted. Limitation discarded."

/** The resources without these limits, and what is to be said of them to a client of this version. */
export function withoutKernelMemory<T extends { KernelMemory?: number; KernelMemoryTCP?: number }>(
  asked: T,
  api: number,
): { readonly resources: Omit<T, "KernelMemory" | "KernelMemoryTCP">; readonly warnings: readonly string[] } {
  const { KernelMemory: memory = 0, KernelMemoryTCP: tcp = 0, ...resources } = asked
  // The first was taken back with 1.42, and is passed over since then by Docker; here it is said. The other came with 1.40.
  const warnings = [...(memory > 0 ? [LIMIT] : []), ...(tcp > 0 && api >= 40 ? [TCP_LIMIT] : [])]
  return { resources, warnings }
}
