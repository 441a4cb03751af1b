// Routes by method and path, in a tree of segments built once. ":name" takes one segment; "*name" takes one or more, so
// that image names may hold slashes; what is literal wins over what is not.

export type Params = Readonly<Record<string, string>>

type Node<T> = {
  readonly literals: Map<string, Node<T>>
  param?: { readonly name: string; readonly node: Node<T> }
  rest?: { readonly name: string; readonly node: Node<T> }
  target?: T
}

const node = <T>(): Node<T> => ({ literals: new Map() })

export class Router<T> {
  readonly #roots = new Map<string, Node<T>>()

  add(method: string, pattern: string, target: T): void {
    let at = this.#roots.get(method)
    if (at === undefined) {
      at = node()
      this.#roots.set(method, at)
    }
    for (const segment of pattern.split("/").slice(1)) at = child(at, segment)
    at.target = target
  }

  match(method: string, path: string): { readonly target: T; readonly params: Params } | undefined {
    const root = this.#roots.get(method)
    if (root === undefined) return undefined
    const params: Record<string, string> = {}
    const target = find(root, path.split("/"), 1, params)
    return target === undefined ? undefined : { target, params }
  }
}

function child<T>(parent: Node<T>, segment: string): Node<T> {
  const name = segment.slice(1)
  if (segment.startsWith(":")) {
    parent.param ??= { name, node: node() }
    return parent.param.node
  }
  if (segment.startsWith("*")) {
    parent.rest ??= { name, node: node() }
    return parent.rest.node
  }
  let next = parent.literals.get(segment)
  if (next === undefined) {
    next = node()
    parent.literals.set(segment, next)
  }
  return next
}

function find<T>(
  at: Node<T>,
  segments: readonly string[],
  index: number,
  params: Record<string, string>,
): T | undefined {
  if (index === segments.length) return at.target
  const literal = at.literals.get(segments[index]!)
  if (literal !== undefined) {
    const found = find(literal, segments, index + 1, params)
    if (found !== undefined) return found
  }
  if (at.param !== undefined && segments[index] !== "") {
    const found = find(at.param.node, segments, index + 1, params)
    if (found !== undefined) {
      params[at.param.name] = segments[index]!
      return found
    }
  }
  if (at.rest !== undefined) {
    // With a tail before without one, the longest name first: "a/json/json" is the image "a/json".
    const ends = Array.from({ length: segments.length - index - 1 }, (_, i) => segments.length - 1 - i)
    for (const end of [...ends, segments.length]) {
      const found = find(at.rest.node, segments, end, params)
      if (found === undefined) continue
      const value = segments.slice(index, end).join("/")
      if (value === "") return undefined
      params[at.rest.name] = value
      return found
    }
  }
  return undefined
}
