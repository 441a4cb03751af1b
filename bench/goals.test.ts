import { expect, test } from "bun:test"
import { GOALS, judge } from "./goals.ts"

test("judge() says which goals are met, and leaves out what was not measured", () => {
  const medians: Record<string, number> = { "dhow run-bridge": 60, "floor run-bridge": 10, "docker run-bridge": 400 }
  expect(judge(GOALS, (contestant, result) => medians[`${contestant} ${result}`])).toEqual([
    "- **falls short**: run --rm, bridge: 6.0 × the floor (at most 4)",
    "- met: run --rm, bridge: 6.7 × faster than docker (at least 6)",
  ])
})
