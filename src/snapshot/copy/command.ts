// `dhow internal copy-stat|copy-out|copy-in|copy-tree REQUEST`: looks at, reads or writes files, of a container or a volume,
// in a process of its own, for it has a mount namespace of its own and holds as many directories open as a stranger nests. An archive comes on
// standard input or goes to standard output, after a line that says what is at the path; a failure is a line of JSON on
// standard error.

import { DhowError, errnoName } from "../../lib/errors.ts"
import { TarOutput } from "../../lib/tar/output.ts"
import { diesWithParent } from "../layer-answer.ts"
import { LineOutput } from "../line-output.ts"
import { reportFailure } from "../tree-answer.ts"
import { archivePath } from "./archive.ts"
import { copyTree, type TreeTotals } from "./copy-tree.ts"
import { extract } from "./extract.ts"
import type { CopyInRequest, TreeRequest } from "./request.ts"
import { Root } from "./root.ts"
import { absolutePath, statPath } from "./stat.ts"

/** Returns the exit status. */
export async function copyCommand(verb: string, [text = ""]: readonly string[]): Promise<number> {
  try {
    diesWithParent(true)
    process.umask(0)
    if (verb === "copy-tree") {
      const { from, to } = JSON.parse(text) as TreeRequest
      const lines = new LineOutput(1)
      const say = (totals: TreeTotals): void => {
        lines.write(totals)
        lines.end()
      }
      say(copyTree(from, to, say))
      return 0
    }
    const request = JSON.parse(text) as CopyInRequest
    const root = Root.assemble(request.root, request.mounts)
    if (verb === "copy-in") await extract(root, request, Bun.stdin.stream())
    else {
      const path = absolutePath(request.path)
      const line = new LineOutput(1)
      line.write(statPath(root, path))
      line.end()
      if (verb === "copy-out") archivePath(root, path, new TarOutput(1))
    }
    return 0
  } catch (error) {
    // The daemon knows the name of the container, and says it.
    return reportFailure(asDaemonSaysIt(error))
  }
}

function asDaemonSaysIt(error: unknown): unknown {
  const code = errnoName(error)
  if (code === "ENOENT") return new DhowError("not-found", "No such file")
  return code === "ENOTDIR" ? new DhowError("invalid", "not a directory", { cause: error }) : error
}
