import { expect, test } from "bun:test"
import { mergeCommitted } from "./merge-committed.ts"

test("mergeCommitted() completes what was said from the container's configuration", () => {
  const own = {
    User: "me",
    Env: ["A=1", "B=2"],
    Labels: { a: "1", b: "2" },
    Cmd: ["run"],
    Entrypoint: ["/start"],
    Volumes: { "/v": {} },
    Healthcheck: { Test: ["CMD", "check"], Interval: 5 },
  }
  expect(mergeCommitted({}, own)).toEqual(own)
  expect(mergeCommitted({ Env: ["A=9"], Labels: { a: "9" }, User: "you" }, own)).toEqual({
    ...own,
    Env: ["A=9", "B=2"],
    Labels: { a: "9", b: "2" },
    User: "you",
  })
  expect(mergeCommitted({ Healthcheck: { Interval: 7, Test: [] } }, own).Healthcheck).toEqual({
    Test: ["CMD", "check"],
    Interval: 7,
  })
})

test("mergeCommitted() keeps a container's command only with its entry point", () => {
  const own = { Cmd: ["run"], Entrypoint: ["/start"] }
  expect(mergeCommitted({ Entrypoint: ["/other"], Cmd: null }, own)).toEqual({ Entrypoint: ["/other"] })
  expect(mergeCommitted({ Entrypoint: [] }, own)).toEqual({ Cmd: ["run"] })
  expect(mergeCommitted({ Cmd: ["else"] }, own)).toEqual({ Cmd: ["else"], Entrypoint: ["/start"] })
})
