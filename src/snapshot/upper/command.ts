// `dhow internal upper-changes|upper-layer|upper-tree UPPER LOWER`: reads what was written to a snapshot, in a process of its
// own, since it holds as many directories open as a stranger nests, and since the daemon's event loop and memory stay free
// of it. What it finds goes to standard output, what fails as one line of JSON to standard error.
import { lstatSync } from "node:fs"
import { TarOutput } from "../../lib/tar/output.ts"
import { diesWithParent } from "../layer-answer.ts"
import { LineOutput } from "../line-output.ts"
import { reportFailure } from "../tree-answer.ts"
import { whiteoutPrefix } from "../user-namespace.ts"
import { changesOf } from "./changes.ts"
import { Directory } from "./directory.ts"
import { writeLayer, writeTree } from "./layer.ts"
import { sameAttributes } from "./same.ts"
import { type Found, walkUpper } from "./walk.ts"

const SELF = Buffer.from(".")

/** Returns the exit status. */
export function upperCommand(verb: string, [upper = "", lower = ""]: readonly string[]): number {
  try {
    diesWithParent(true)
    using above = Directory.open(upper)
    using below = Directory.open(lower)
    const visits = walkUpper(above, below, { prefix: whiteoutPrefix(), all: verb === "upper-tree" })
    if (verb === "upper-changes") {
      const lines = new LineOutput(1)
      for (const change of changesOf(visits)) lines.write(change)
      lines.end()
    } else if (verb === "upper-tree") writeTree(visits, new TarOutput(1))
    else {
      const [root, before] = [rootOf(above), rootOf(below)]
      writeLayer(visits, sameAttributes(root, before) ? undefined : root, new TarOutput(1))
    }
    return 0
  } catch (error) {
    return reportFailure(error)
  }
}

function rootOf(directory: Directory): Found {
  return { in: directory, name: SELF, stat: lstatSync(directory.path, { bigint: true }) }
}
