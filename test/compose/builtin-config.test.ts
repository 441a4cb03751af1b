// The built-in compose beside docker's plugin: both have to understand the same files alike, to the byte of the canonical
// form and the hash. Skipped where the plugin cannot be had.
import { afterAll, describe, expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { MAIN } from "../cli/command-line.ts"
import { composeProgram } from "../support/compose.ts"
import { CONFIG_CASES } from "./config-cases.ts"

const root = mkdtempSync(join(tmpdir(), "dhow-compose-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const BUILTIN = [process.execPath, MAIN, "compose", "--builtin"]

describe.skipIf(composeProgram === undefined)("config, beside docker compose,", () => {
  for (const [index, [name, { files, flags = [], environment = {}, hashed = "*" }]] of Object.entries(
    CONFIG_CASES,
  ).entries())
    test(`agrees on ${name}`, () => {
      const directory = join(root, `case${index}`)
      for (const [path, text] of Object.entries(files)) {
        mkdirSync(dirname(join(directory, path)), { recursive: true })
        writeFileSync(join(directory, path), text)
      }
      const env = { PATH: process.env["PATH"] ?? "", HOME: directory, ...environment }
      const run = (program: readonly string[], ...args: readonly string[]): string => {
        const child = Bun.spawnSync([...program, ...flags, "config", ...args], { cwd: directory, env, timeout: 20_000 })
        if (child.exitCode !== 0) throw new Error(`${program[0]}: ${child.stderr}`)
        return child.stdout.toString().trimEnd()
      }
      const lists = index === 0 ? [["--services"], ["--volumes"], ["--images"], ["--profiles"]] : []
      for (const args of [[], ["--format", "json"], ["--hash", hashed], ...lists]) {
        // docker lists these in no order.
        const lines = (text: string): string => (lists.includes(args) ? text.split("\n").sort().join("\n") : text)
        expect(lines(run(BUILTIN, ...args))).toBe(lines(run([composeProgram ?? ""], ...args)))
      }
    }, 60_000)
})
