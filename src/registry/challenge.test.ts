import { expect, test } from "bun:test"
import { parseChallenges } from "./challenge.ts"

test("parseChallenges() reads schemes with quoted and plain parameters", () => {
  const header = 'Bearer realm="https://auth.example/token",service="r",scope="repository:a/b:pull,push", Basic realm=x'
  expect(parseChallenges(header)).toEqual([
    {
      scheme: "bearer",
      parameters: { realm: "https://auth.example/token", service: "r", scope: "repository:a/b:pull,push" },
    },
    { scheme: "basic", parameters: { realm: "x" } },
  ])
})

test("parseChallenges() undoes escapes and keeps what comes before nonsense", () => {
  expect(parseChallenges('Basic realm="a\\"b", @@@')).toEqual([{ scheme: "basic", parameters: { realm: 'a"b' } }])
  for (const text of ["", "=", '"', "realm=x", ",,,"]) expect(parseChallenges(text)).toEqual([])
  expect(parseChallenges("Negotiate, Basic")).toHaveLength(2)
})
