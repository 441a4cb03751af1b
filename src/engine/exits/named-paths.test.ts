import { expect, test } from "bun:test"
import { namedPaths } from "./named-paths.ts"

const of = (...texts: string[]) =>
  namedPaths(
    texts.map((Text) => ({ Stream: "stderr", Text })),
    "/work",
  )

test("namedPaths() reads what common programs write, the newest first", () => {
  expect(of("sh: can't create /data/x: Permission denied")).toEqual(["/data/x"])
  expect(of("touch: cannot touch 'sub/x y': Permission denied")).toEqual(["/work/sub/x y"])
  expect(of("Error: EACCES: permission denied, open '/data/a.json'")).toEqual(["/data/a.json"])
  expect(
    of(
      "PermissionError: [Errno 13] Permission denied: '/data/a'",
      'nginx: open() "/data/b" failed (13: Permission denied)',
    ),
  ).toEqual(["/data/b", "/data/a"])
  expect(of("open /data/../etc/x: permission denied")).toEqual(["/etc/x"])
})

test("namedPaths() leaves out lines of other complaints, and is bounded", () => {
  expect(of("cannot open '/data/x': No such file or directory")).toEqual([])
  expect(of(...["a", "b", "c", "d"].map((name) => `/data/${name}: permission denied`))).toEqual([
    "/data/d",
    "/data/c",
    "/data/b",
  ])
  expect(of(`/${"x".repeat(1e6)}: permission denied`)[0]?.length).toBeLessThan(2000)
})
