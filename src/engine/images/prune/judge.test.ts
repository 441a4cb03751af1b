import { describe, expect, test } from "bun:test"
import { type Candidate, judge } from "./judge.ts"
import { prunePolicy } from "./policy.ts"

const DAY = 86_400_000
const NOW = 1_000 * DAY

function image(name: string, given: Partial<Candidate> = {}): Candidate & { name: string } {
  const candidate = { created: NOW - 100 * DAY, pulled: NOW - 50 * DAY, lastUsed: NOW - 50 * DAY }
  return { name, ...candidate, labels: {}, isTagged: true, repositories: [name], user: undefined, ...given }
}

function removed(images: readonly (Candidate & { name: string })[], filters: Record<string, string[]>): string[] {
  const verdicts = judge(images, prunePolicy(new Map(Object.entries(filters))), NOW)
  return verdicts.flatMap(({ isRemoved, name, reason }) => (isRemoved ? [`${name}: ${reason}`] : []))
}

const ALL = { dangling: ["false"] }

describe("judge()", () => {
  test("takes what has no name, and with dangling=false what no container uses", () => {
    const images = [
      image("named"),
      image("nameless", { isTagged: false }),
      image("used", { user: "c1" }),
      image("shown", { mountedAt: "/mnt" }),
    ]
    expect(removed(images, {})).toEqual(["nameless: has no name"])
    expect(removed(images, ALL)).toEqual(["named: no container uses it", "nameless: has no name"])
  })

  test("spares what was used within the span", () => {
    const images = [image("old", { lastUsed: NOW - 20 * DAY }), image("new", { lastUsed: NOW - 13 * DAY })]
    expect(removed(images, { ...ALL, unused: ["14d"] })).toEqual(["old: unused for 2 weeks"])
  })

  test("spares the newest of each repository; where dates are equal, what came last", () => {
    const version = (name: string, created: number, pulled: number, repository = "app") =>
      image(name, { created, pulled, repositories: [repository] })
    const images = [
      version("a", 1, 1),
      version("b", 2, 1),
      version("c", 0, 9),
      version("d", 0, 8),
      version("e", 1, 1, "x"),
    ]
    expect(removed(images, { ...ALL, keep: ["3"] })).toEqual(["d: no container uses it"])
    expect(removed(images, { ...ALL, keep: ["1"] }).map((line) => line[0])).toEqual(["a", "c", "d"])
  })

  test("spares an image that one of its repositories keeps", () => {
    const shared = image("shared", { created: 1, repositories: ["old", "app"] })
    expect(removed([shared, image("app", { created: 2, repositories: ["app"] })], { ...ALL, keep: ["1"] })).toEqual([])
  })

  test("takes only what has every label, and nothing that has every unwanted one", () => {
    const images = [image("a", { labels: { x: "1", y: "2" } }), image("b", { labels: { x: "1" } }), image("c")]
    expect(removed(images, { ...ALL, label: ["x=1", "y"] }).map((line) => line[0])).toEqual(["a"])
    expect(removed(images, { ...ALL, "label!": ["x", "y"] }).map((line) => line[0])).toEqual(["b", "c"])
  })

  test("spares what was created after the limit", () => {
    const images = [image("old", { created: 1000 }), image("new", { created: 3000 })]
    expect(removed(images, { ...ALL, until: ["2"] }).map((line) => line.slice(0, 3))).toEqual(["old"])
  })
})

describe("prunePolicy()", () => {
  const refused: readonly (readonly [Record<string, string[]>, string])[] = [
    [{ colour: ["red"] }, "invalid filter 'colour'"],
    [{ dangling: ["true", "false"] }, "invalid filter 'dangling=[true false]'"],
    [{ until: ["1h", "2h"] }, "more than one until filter specified"],
    [{ unused: ["1d", "2d"] }, "more than one unused filter specified"],
    [{ unused: ["soon"] }, 'invalid time span "soon"'],
    [{ keep: ["-1"] }, "invalid filter 'keep=-1'"],
  ]
  for (const [filters, message] of refused)
    test(`refuses ${JSON.stringify(filters)}`, () => {
      expect(() => prunePolicy(new Map(Object.entries(filters)))).toThrow(message)
    })
})
