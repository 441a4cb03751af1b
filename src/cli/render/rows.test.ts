import { expect, test } from "bun:test"
import { displayPorts } from "../container/row.ts"
import { ellipsis, humanSize } from "./human.ts"
import { renderRows } from "./rows-template.ts"
import { formatTable } from "./table.ts"

const columns = { headers: { ID: "CONTAINER ID", Names: "NAMES" }, shown: ["ID", "Names"] }
const rows = [
  { ID: "abc", Names: "web", Label: (name: unknown) => `<${name}>` },
  { ID: "def", Names: "db", Label: () => "" },
]

test("formatTable() leaves three spaces, columns of ten at least, and nothing after the last cell", () => {
  expect(
    formatTable([
      ["A", "BB", "C"],
      ["a-long-cell", "x", "y"],
    ]),
  ).toBe("A             BB        C\na-long-cell   x         y\n")
})

test("renderRows() gives tables the headings of their fields", () => {
  expect(renderRows(rows, columns, "table {{.ID}}\\t{{.Names | upper}}")).toBe(
    "CONTAINER ID   NAMES\nabc            WEB\ndef            DB\n",
  )
})

test("renderRows() gives other templates a line for each row", () => {
  expect(renderRows(rows, columns, '{{.ID}}:{{.Label "x"}}')).toBe("abc:<x>\ndef:\n")
  expect(renderRows(rows, columns, "json")).toBe('{"ID":"abc","Names":"web"}\n{"ID":"def","Names":"db"}\n')
})

test("humanSize() has as many digits as asked for", () => {
  expect(humanSize(0)).toBe("0B")
  expect(humanSize(1_983_210, 3)).toBe("1.98MB")
  expect(humanSize(999_999)).toBe("1000kB")
  expect(humanSize(123_456_789)).toBe("123.5MB")
})

test("ellipsis() keeps to the width", () => {
  expect(ellipsis("abcdef", 6)).toBe("abcdef")
  expect(ellipsis("abcdefg", 6)).toBe("abcde…")
})

test("displayPorts() joins neighbouring ports", () => {
  const tcp = (PrivatePort: number, PublicPort?: number) => ({
    PrivatePort,
    Type: "tcp",
    ...(PublicPort === undefined ? {} : { IP: "0.0.0.0", PublicPort }),
  })
  expect(displayPorts([tcp(80, 8080), tcp(443)])).toBe("443/tcp, 0.0.0.0:8080->80/tcp")
  expect(displayPorts([tcp(81, 81), tcp(80, 80), tcp(90)])).toBe("0.0.0.0:80-81->80-81/tcp, 90/tcp")
  expect(displayPorts([{ IP: "::", PrivatePort: 80, PublicPort: 8080, Type: "tcp" }])).toBe("[::]:8080->80/tcp")
})
