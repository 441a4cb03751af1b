import { describe, expect, test } from "bun:test"
import type { GcConfig } from "../../../config.ts"
import { type Digest, digestOf } from "../../../oci/digest.ts"
import { planRelief, type Standing } from "./plan.ts"

const GC: GcConfig = { max: 0.8, floor: 0.5, unused: 0, keepLast: 0, protect: ["keep", "tier=gold"] }
const layer = (name: string): Digest => digestOf(name)

function image(name: string, given: Partial<Standing> = {}): Standing & { name: string } {
  return { name, isRemoved: true, reason: "unused", lastUsed: 1, labels: {}, layers: [layer(name)], ...given }
}

function relief(used: number, standings: readonly (Standing & { name: string })[], held: readonly Digest[] = []) {
  const options = { gc: GC, fill: { used, total: 100 }, held: new Set(held), sizeOf: () => 20 }
  const { going, staying } = planRelief(standings, options)
  return {
    going: going.map(({ name, bytes }) => `${name} ${bytes}`),
    staying: staying.map(({ name, reason }) => `${name}: ${reason}`),
  }
}

describe("planRelief()", () => {
  test("removes nothing while the disk is not over the limit", () => {
    expect(relief(80, [image("a")])).toEqual({ going: [], staying: ["a: there is room enough"] })
  })

  test("removes the least recently used until the floor is reached", () => {
    const images = [image("new", { lastUsed: 9 }), image("old", { lastUsed: 1 }), image("mid", { lastUsed: 5 })]
    expect(relief(90, images)).toEqual({ going: ["old 20", "mid 20"], staying: ["new: enough is freed before"] })
  })

  test("counts a layer once, with the last image that needs it, and not where something else needs it", () => {
    const shared = [layer("base")]
    const images = [
      image("a", { lastUsed: 1, layers: [...shared, layer("a")] }),
      image("b", { lastUsed: 2, layers: shared }),
      image("c", { lastUsed: 3 }),
    ]
    expect(relief(100, images, [layer("c")]).going).toEqual(["a 20", "b 20", "c 0"])
  })

  test("never removes what the policy spares, and says why", () => {
    const images = [
      image("used", { isRemoved: false, reason: "used by container x" }),
      image("kept", { labels: { keep: "" } }),
      image("gold", { labels: { tier: "gold" } }),
      image("iron", { labels: { tier: "iron" } }),
    ]
    expect(relief(99, images)).toEqual({
      going: ["iron 20"],
      staying: ["used: used by container x", "kept: protected by label keep", "gold: protected by label tier=gold"],
    })
  })
})
