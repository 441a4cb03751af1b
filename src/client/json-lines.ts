// Answers that are a sequence of JSON documents, one to a line: progress and events.
import { DhowError } from "../lib/errors.ts"
import { fromJson } from "../lib/exact-json.ts"

const LINE_LIMIT = 16 << 20

export async function* readJsonLines<T>(body: AsyncIterable<Uint8Array>): AsyncGenerator<T> {
  const decoder = new TextDecoder()
  let rest = ""
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    const lines = rest.split("\n")
    rest = lines.pop() ?? ""
    if (rest.length > LINE_LIMIT) throw new DhowError("unavailable", "A line of the daemon's answer is too long")
    for (const line of lines) if (line.trim() !== "") yield fromJson(line) as T
  }
  if (rest.trim() !== "") yield fromJson(rest) as T
}
