import { expect, test } from "bun:test"
import { modeText, pathText } from "./file-entry.ts"
import { shownName } from "./names.ts"

test("modeText() says what ls says", () => {
  const cases: readonly (readonly [Parameters<typeof modeText>[0], string])[] = [
    [{ type: "file", mode: 0o644 }, "-rw-r--r--"],
    [{ type: "directory", mode: 0o1777 }, "drwxrwxrwt"],
    [{ type: "directory", mode: 0o1770 }, "drwxrwx--T"],
    [{ type: "file", mode: 0o4755 }, "-rwsr-xr-x"],
    [{ type: "file", mode: 0o6644 }, "-rwSr-Sr--"],
    [{ type: "file", mode: 0o2711 }, "-rwx--s--x"],
    [{ type: "symlink", mode: 0o777 }, "lrwxrwxrwx"],
    [{ type: "fifo", mode: 0 }, "p---------"],
  ]
  for (const [entry, text] of cases) expect(modeText(entry)).toBe(text)
})

test("pathText() shows a link's target, and marks directories", () => {
  expect(pathText("etc", { type: "directory" })).toBe("/etc/")
  expect(pathText("etc/mtab", { type: "symlink", target: "/proc/mounts" })).toBe("/etc/mtab -> /proc/mounts")
})

test("shownName() spells out what a terminal would act on", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["plain näme 字 🚢", "plain näme 字 🚢"],
    ["a\nb\tc\rd", "a\\nb\\tc\\rd"],
    ["\u001b[2Jgone", "\\x1b[2Jgone"],
    ["back\\slash", "back\\\\slash"],
    ["\u009b31m", "\\u009b31m"],
    ["exe\u202egpj.", "exe\\u202egpj."],
    ["\udcff\udc80", "\\xff\\x80"],
    ["\u2028", "\\u2028"],
  ]
  for (const [name, shown] of cases) expect(shownName(name)).toBe(shown)
})
