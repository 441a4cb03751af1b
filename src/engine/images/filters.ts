// Docker's filters over images: values read and matched, texts as Docker's.
import { DhowError } from "../../lib/errors.ts"
import { familiarName, familiarReference, parseReference } from "../../oci/reference.ts"

/** Whether every "key" or "key=value" of the filter holds; a filter that was not given holds. */
export function matchesLabels(wanted: readonly string[], labels: Readonly<Record<string, string>> = {}): boolean {
  return wanted.every((entry) => {
    const equals = entry.indexOf("=")
    if (equals < 0) return Object.hasOwn(labels, entry)
    return labels[entry.slice(0, equals)] === entry.slice(equals + 1)
  })
}

/** A shell pattern in which no wildcard crosses a slash, against the name with and without its tag. */
export function matchesReference(pattern: string, stored: string): boolean {
  const expression = globToRegExp(pattern)
  const reference = parseReference(stored)
  return expression.test(familiarReference(reference)) || expression.test(familiarName(reference))
}

function globToRegExp(pattern: string): RegExp {
  const broken = (): DhowError => new DhowError("invalid", `syntax error in pattern "${pattern}"`)
  let source = ""
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!
    if (character === "*") source += "[^/]*"
    else if (character === "?") source += "[^/]"
    else if (character === "[") {
      const end = pattern.indexOf("]", at + 2)
      if (end < 0) throw broken()
      const body = pattern.slice(at + 1, end)
      source += `[${body.replace(/[\\\]]/g, "\\$&").replace(/^[!^]/, "^")}]`
      at = end
    } else {
      if (character === "\\" && ++at === pattern.length) throw broken()
      source += pattern[at]!.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&")
    }
  }
  try {
    return new RegExp(`^${source}$`, "u")
  } catch (cause) {
    throw new DhowError("invalid", `syntax error in pattern "${pattern}"`, { cause })
  }
}
