// Runs `bun test` and counts what it really did, from the JUnit report that it writes.
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"

export type Counts = { readonly passed: number; readonly failed: number; readonly skipped: number }

export const NONE: Counts = { passed: 0, failed: 0, skipped: 0 }

export function sum(a: Counts, b: Counts): Counts {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: a.skipped + b.skipped }
}

/** "12 passed, 0 failed", and the skipped ones where there are any. */
export function summary({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`
}

/** Totals of a JUnit report: the attributes of its outermost element. */
export function parseReport(xml: string): Counts {
  const head = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? ""
  const number = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(head)?.[1] ?? 0)
  const failed = number("failures") + number("errors")
  const skipped = number("skipped")
  return { passed: number("tests") - failed - skipped, failed, skipped }
}

/** The failed tests of a JUnit report: file, name, and what was wrong. */
export function failuresOf(xml: string): string[] {
  const failed = /<testcase name="([^"]*)" classname="([^"]*)"[^>]*? file="([^"]*)"[^>]*[^/]>\s*<failure([^>]*)>/g
  return [...xml.matchAll(failed)].map(([, name = "", group = "", file = "", attributes = ""]) => {
    const message = /message="([^"]*)"/.exec(attributes)?.[1] ?? ""
    const words = unescapeXml(message).replace(/\s+/g, " ").trim().slice(0, 500)
    return `${unescapeXml(file)}: ${group === "" ? "" : `${unescapeXml(group)} > `}${unescapeXml(name)}: ${words}`
  })
}

function unescapeXml(text: string): string {
  const names: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" }
  return text.replace(/&(?:#(\d+)|(\w+));/g, (whole, code: string | undefined, name: string | undefined) =>
    code === undefined ? (names[name ?? ""] ?? whole) : String.fromCodePoint(Number(code)),
  )
}

/**
 * Runs the given test files or folders. Output goes to the terminal, or is returned when `quiet`. A runner that ends
 * badly without a failed test (a file that does not load, a crash) counts as one failure.
 */
export async function runTests(
  root: string,
  paths: readonly string[],
  options: { readonly quiet?: boolean; readonly environment?: Record<string, string>; readonly timeout?: number } = {},
): Promise<{ readonly counts: Counts; readonly output: string; readonly failures: readonly string[] }> {
  const directory = mkdtempSync(join(tmpdir(), "dhow-tests-"))
  const report = join(directory, "report.xml")
  try {
    const child = Bun.spawn(
      [
        process.execPath,
        "test",
        `--timeout=${options.timeout ?? 30_000}`,
        "--reporter=junit",
        `--reporter-outfile=${report}`,
        ...paths,
      ],
      {
        cwd: root,
        env: { ...process.env, ...options.environment },
        stdin: "ignore",
        stdout: options.quiet === true ? "pipe" : "inherit",
        stderr: options.quiet === true ? "pipe" : "inherit",
      },
    )
    const text = (stream: unknown): Promise<string> =>
      stream instanceof ReadableStream ? new Response(stream).text() : Promise.resolve("")
    const [exitCode, out, error] = await Promise.all([child.exited, text(child.stdout), text(child.stderr)])
    const xml = (await Bun.file(report).exists()) ? readFileSync(report, "utf8") : ""
    const counts = parseReport(xml)
    const crashed = exitCode !== 0 && counts.failed === 0
    const failures = crashed ? [`${paths.join(" ")}: bun test ended with status ${exitCode}`] : failuresOf(xml)
    return { counts: crashed ? { ...counts, failed: 1 } : counts, output: out + error, failures }
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
