import { expect, test } from "bun:test"
import { type Digest, digestOf } from "../oci/digest.ts"
import { mark, type Node } from "./gc.ts"

const [index, manifest, config, layer, other] = ["index", "manifest", "config", "layer", "other"].map((name) =>
  digestOf(name),
) as [Digest, Digest, Digest, Digest, Digest]

const GRAPH = new Map<Digest, readonly Node[]>([
  [index, [{ kind: "manifest", digest: manifest }]],
  [
    manifest,
    [
      { kind: "config", digest: config },
      { kind: "manifest", digest: index },
    ],
  ],
  [config, [{ kind: "blob", digest: layer }]],
  [other, [{ kind: "blob", digest: layer }]],
])

const edges = (node: Node): readonly Node[] => (node.kind === "blob" ? [] : (GRAPH.get(node.digest) ?? []))

test("mark() follows every edge once, cycles included, and nothing else", () => {
  expect([...mark([{ kind: "manifest", digest: index }], edges)].sort()).toEqual(
    [index, manifest, config, layer].sort(),
  )
})

test("mark() takes a leased digest for bytes: what it would lead to has leases of its own", () => {
  expect([...mark([{ kind: "blob", digest: index }], edges)]).toEqual([index])
  const both = mark(
    [
      { kind: "blob", digest: index },
      { kind: "manifest", digest: index },
    ],
    edges,
  )
  expect(both.has(layer)).toBe(true)
})
