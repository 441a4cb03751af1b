// Two create requests are the same when they differ only in fields that are zero for the API. For tests.

/** Zero and false say something here. */
const SIGNIFICANT = new Set(["Init", "StopTimeout", "MaskedPaths", "ReadonlyPaths"])

export function normalForm(value: unknown, key = ""): unknown {
  if (Array.isArray(value)) {
    const elements = value.map((element) => normalForm(element))
    if (key === "ConsoleSize" && value.every((element) => element === 0)) return undefined
    // Some versions of the client complete the names, others leave it to the engine.
    if (key === "CapAdd" || key === "CapDrop") return elements.map((name) => String(name).replace(/^CAP_/, ""))
    // Docker's client takes these from a map without order.
    return key === "Binds" || key === "Env" ? elements.sort() : elements
  }
  if (value === null || typeof value !== "object") return value
  const kept: Record<string, unknown> = {}
  for (const [name, one] of Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const normal = normalForm(one, name)
    // -1 is how the client says "not set" of this one.
    if (name === "MemorySwappiness" && normal === -1) continue
    if (isZero(normal) && !(SIGNIFICANT.has(name) && normal !== null && normal !== undefined)) continue
    kept[name] = normal
  }
  return kept
}

function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === 0 || value === false) return true
  return typeof value === "object" && Object.keys(value).length === 0
}
