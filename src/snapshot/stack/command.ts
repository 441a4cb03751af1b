// `dhow internal stack-files|stack-difference|stack-squash REQUEST TAR...`: reads layers' tars, in a process of its own, so that
// the daemon's event loop and memory stay free of them. REQUEST is JSON; what it finds goes to standard output, what
// fails as one line of JSON to standard error.
import { TarOutput } from "../../lib/tar/output.ts"
import type { FilesRequest } from "../../wire/image-contents.ts"
import { diesWithParent } from "../layer-answer.ts"
import { LineOutput } from "../line-output.ts"
import { reportFailure } from "../tree-answer.ts"
import { differences } from "./difference.ts"
import { filesOf } from "./files.ts"
import { squash } from "./squash.ts"

/** `count`: how many of the tars are of the first stack. */
export type DifferenceRequest = { readonly count: number; readonly times: boolean }
export type SquashRequest = { readonly from: number }

/** Returns the exit status. */
export function stackCommand(verb: string, [request = "{}", ...tars]: readonly string[]): number {
  try {
    diesWithParent(true)
    if (verb === "stack-squash") {
      squash(tars, (JSON.parse(request) as SquashRequest).from, new TarOutput(1))
      return 0
    }
    const lines = new LineOutput(1)
    if (verb === "stack-difference") {
      const { count, times } = JSON.parse(request) as DifferenceRequest
      for (const found of differences(tars.slice(0, count), tars.slice(count), { times })) lines.write(found)
    } else {
      const { files, layers } = filesOf(tars, JSON.parse(request) as FilesRequest)
      for (const layer of layers) lines.write({ layer })
      for (const file of files) lines.write({ file })
    }
    lines.end()
    return 0
  } catch (error) {
    return reportFailure(error)
  }
}
