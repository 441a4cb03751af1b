import { expect, test } from "bun:test"
import { failuresOf, parseReport, sum, summary } from "./run-tests.ts"

test("parseReport() reads the totals of the whole run, not of one file", () => {
  const xml =
    '<?xml version="1.0"?>\n<testsuites tests="9" failures="1" skipped="2" time="1">\n<testsuite tests="3" failures="0" skipped="0">'
  expect(parseReport(xml)).toEqual({ passed: 6, failed: 1, skipped: 2 })
})

test("parseReport() of something else finds no tests", () => {
  expect(parseReport("")).toEqual({ passed: 0, failed: 0, skipped: 0 })
})

test("summary() mentions skipped tests only where there are any", () => {
  const some = { passed: 3, failed: 0, skipped: 0 }
  expect(summary(some)).toBe("3 passed, 0 failed")
  expect(summary(sum(some, { passed: 1, failed: 1, skipped: 2 }))).toBe("4 passed, 1 failed, 2 skipped")
})

test("failuresOf() names what failed and why, and nothing that passed", () => {
  const head = '<testcase name="a &lt;b&gt;" classname="group" time="0.1" file="/x.test.ts" line="2" assertions="1"'
  const xml = `${head} />\n${head}>\n  <failure type="Error" message="boom &amp;&#10;more">Error: boom</failure>\n</testcase>`
  expect(failuresOf(xml)).toEqual(["/x.test.ts: group > a <b>: boom & more"])
})
