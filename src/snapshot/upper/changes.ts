// What a container changed, file by file, by Docker's rules: a directory stands before what changed in it, and is itself
// changed where anything in it is.
import { isEngineDirectory, isEngineFile } from "./engine-places.ts"
import { differs } from "./same.ts"
import type { Visit } from "./walk.ts"

export type ChangeKind = "modified" | "added" | "deleted"
export type Change = { readonly path: string; readonly kind: ChangeKind }

type Waiting = { readonly path: string; readonly kind: ChangeKind; told: boolean }

export function* changesOf(visits: Iterable<Visit>): Generator<Change> {
  const around: Waiting[] = []
  function* tell(change: Change): Generator<Change> {
    for (const directory of around) {
      if (!directory.told) yield { path: directory.path, kind: directory.kind }
      directory.told = true
    }
    yield change
  }
  for (const visit of visits) {
    switch (visit.kind) {
      case "leave":
        around.pop()
        break
      case "gone":
        yield* tell({ path: visit.path, kind: "deleted" })
        break
      case "enter": {
        const { path, upper, lower } = visit
        const kind = lower === undefined ? "added" : "modified"
        const isOurs = lower === undefined && isEngineDirectory(path)
        const isChanged = !isOurs && upper !== undefined && (lower === undefined || differs(upper, lower))
        if (isChanged) yield* tell({ path, kind })
        around.push({ path, kind, told: isChanged })
        break
      }
      case "file": {
        const { path, upper, lower } = visit
        if (upper === undefined) break
        if (lower === undefined) {
          if (!isEngineFile(path, upper.stat)) yield* tell({ path, kind: "added" })
        } else if (differs(upper, lower)) yield* tell({ path, kind: "modified" })
        break
      }
      default:
        visit satisfies never
    }
  }
}
