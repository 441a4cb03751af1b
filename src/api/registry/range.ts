// The Range header (RFC 9110, section 14): one range; several, or anything else, mean the whole.

export type ByteRange = { readonly first: number; readonly last: number }

export function parseRange(header: string | null, size: number): ByteRange | "unsatisfiable" | undefined {
  const match = /^bytes=\s*(\d{0,15})-(\d{0,15})\s*$/.exec(header ?? "")
  const [, from = "", to = ""] = match ?? []
  if (match === null || (from === "" && to === "")) return undefined
  if (from === "") {
    const length = Math.min(Number(to), size)
    return length === 0 ? "unsatisfiable" : { first: size - length, last: size - 1 }
  }
  const first = Number(from)
  const last = to === "" ? size - 1 : Math.min(Number(to), size - 1)
  if (to !== "" && Number(to) < first) return undefined
  return first >= size ? "unsatisfiable" : { first, last }
}

/** "0-99" of an upload's part: first and last byte, both meant. */
export function parseContentRange(header: string | null): ByteRange | "invalid" | undefined {
  if (header === null) return undefined
  // Some clients write it as for any other request.
  const match = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d{1,15}|\*))?$/.exec(header.trim())
  return match === null ? "invalid" : { first: Number(match[1]), last: Number(match[2]) }
}
