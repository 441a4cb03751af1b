import { expect, test } from "bun:test"
import { pullReference, targetReference } from "./image-references.ts"

const digest = `sha256:${"a".repeat(64)}`

test.each([
  ["busybox", "", "busybox"],
  ["busybox:", "", "busybox"],
  ["busybox:1", "", "busybox:1"],
  ["busybox", "1", "busybox:1"],
  ["busybox:1", "2", "busybox:2"],
  ["busybox", digest, `busybox@${digest}`],
  [`reg:5000/a/b@${digest}`, "", `reg:5000/a/b@${digest}`],
])("pullReference(%j, %j)", (image, tag, expected) => {
  expect(pullReference(image, tag)).toBe(expected)
})

test("pullReference() keeps scratch for itself", () => {
  expect(() => pullReference("scratch", "")).toThrow("'scratch' is a reserved name")
})

test("targetReference() wants a name, and no digest", () => {
  expect(targetReference("reg:5000/a", "")).toBe("reg:5000/a:latest")
  expect(targetReference("a", "b")).toBe("a:b")
  expect(() => targetReference(`a@${digest}`, "")).toThrow("cannot import digest reference")
  expect(() => targetReference("", "")).toThrow("invalid reference format")
  expect(() => targetReference("A", "")).toThrow("must be lowercase")
})
