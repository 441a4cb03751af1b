// `dhow internal index-layer DIFF-ID TAR INDEX`: a process of its own, so that the daemon's event loop and memory stay
// free of what strangers put into archives. It answers with one line of JSON when the index is durable.
import { openSync } from "node:fs"
import type { Digest } from "../../oci/digest.ts"
import { answer, answerError, diesWithParent } from "../layer-answer.ts"
import { describeIndexing, writeIndex } from "./writer.ts"

/** Returns the exit status. */
export function indexCommand(parameters: readonly string[]): number {
  const [diffId = "", tar = "", index = ""] = parameters
  try {
    diesWithParent(true)
    answer({ layer: writeIndex(diffId as Digest, openSync(tar, "r"), openSync(index, "wx+", 0o600)) })
    return 0
  } catch (error) {
    return answerError(describeIndexing(error))
  }
}
