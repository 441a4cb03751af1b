import { expect, test } from "bun:test"
import { checkShape, unexplained } from "./check-files.ts"

test("checkShape() wants a comment at the top, tests excepted", () => {
  expect(checkShape("src/a.ts", "// What it is.\n").problems).toEqual([])
  expect(checkShape("src/a.ts", "export {}\n").problems).toHaveLength(1)
  expect(checkShape("src/a.test.ts", "export {}\n").problems).toEqual([])
})

test("checkShape() warns beyond 350 lines and fails beyond 600", () => {
  const text = (lines: number): string => `// x\n${"\n".repeat(lines - 1)}`
  expect(checkShape("src/a.ts", text(350))).toEqual({ problems: [], warnings: [] })
  expect(checkShape("src/a.ts", text(351)).warnings).toHaveLength(1)
  expect(checkShape("src/a.ts", text(601)).problems).toHaveLength(1)
})

test("unexplained() names dependencies that the document does not mention", () => {
  expect(unexplained(["one", "@scope/two"], "| `one` | why |")).toEqual(["@scope/two"])
})
