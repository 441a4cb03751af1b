// The files that a program names where it complains that something was refused to it.
import { posix } from "node:path"
import type { LogLine } from "../../wire/exit.ts"

export const REFUSED =
  /permission denied|operation not permitted|value too large for (?:defined )?data type|\bE(?:ACCES|PERM|OVERFLOW)\b/i

const MOST = 3
const LONGEST = 1024
/** What stands in quotes, or what begins as an absolute path does. */
const NAME = /['"‘`]([^'"’`\n]+)['"’`]|(?:^|[\s=(])(\/[^\s:'"(),;]+)/g

/** Absolute, the newest first, each once. What is no name of a file does no harm: it is looked for and not found. */
export function namedPaths(lines: readonly LogLine[], workingDirectory: string): string[] {
  const found = new Set<string>()
  for (const { Text } of [...lines].reverse()) {
    if (!REFUSED.test(Text)) continue
    for (const [, quoted, plain] of Text.slice(0, LONGEST).matchAll(NAME)) {
      const name = quoted ?? plain ?? ""
      if (!name.includes("\0")) found.add(posix.resolve("/", workingDirectory, name))
    }
  }
  return [...found].slice(0, MOST)
}
