import { expect, test } from "bun:test"
import { Router } from "./router.ts"

const router = new Router<string>()
for (const pattern of [
  "/images/json",
  "/images/get",
  "/images/*name/json",
  "/images/*name",
  "/containers/:id/json",
  "/containers/prune",
  "/networks",
  "/networks/",
])
  router.add("GET", pattern, pattern)

test.each([
  ["/images/json", "/images/json", {}],
  ["/images/a/json", "/images/*name/json", { name: "a" }],
  ["/images/reg:5000/a/b:1/json", "/images/*name/json", { name: "reg:5000/a/b:1" }],
  ["/images/get/json", "/images/*name/json", { name: "get" }],
  ["/images/json/json", "/images/*name/json", { name: "json" }],
  ["/images/a/b", "/images/*name", { name: "a/b" }],
  ["/containers/x/json", "/containers/:id/json", { id: "x" }],
  ["/containers/prune", "/containers/prune", {}],
  ["/networks/", "/networks/", {}],
] as const)("match() finds %s", (path, target, params) => {
  expect(router.match("GET", path)).toEqual({ target, params } as never)
})

test.each(["/", "/nope", "/containers//json", "/containers/x/json/y", "/images/", "/networks/x"])(
  "match() finds nothing for %s",
  (path) => {
    expect(router.match("GET", path)).toBeUndefined()
    expect(router.match("POST", path)).toBeUndefined()
  },
)
