// Whole bodies, bounded before they are kept.
import { DhowError } from "../lib/errors.ts"
import type { Answer } from "./exchange.ts"

export async function readBytes(answer: Answer, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer.body) {
    length += chunk.length
    if (length > limit)
      throw new DhowError("invalid", `Registry "${answer.url.host}" sent more than the ${limit} bytes allowed here`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export async function readJson(answer: Answer, limit: number): Promise<unknown> {
  const bytes = await readBytes(answer, limit)
  try {
    return JSON.parse(Buffer.from(bytes).toString("utf8"))
  } catch (cause) {
    throw new DhowError("unavailable", `Registry "${answer.url.host}" sent something that is not JSON`, { cause })
  }
}
