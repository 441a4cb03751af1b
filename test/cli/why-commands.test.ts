// The commands that `dhow why` names are dhow's own, with flags that they have.
import { expect, test } from "bun:test"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import type { CommandEntry } from "../../src/cli/command.ts"
import { COMMANDS } from "../../src/cli/commands.ts"

const RULES = join(import.meta.dir, "../../src/engine/why/rules")

function* named(): Generator<string> {
  for (const file of new Bun.Glob("*.ts").scanSync({ cwd: RULES })) {
    const text = readFileSync(join(RULES, file), "utf8")
    for (const [, command = ""] of text.matchAll(/[`" ]dhow ((?:image|system|platform|container)? ?[a-z]+[^`"&]*)/g))
      yield command
    for (const [, flags = ""] of text.matchAll(/again\(facts, [`"](-[^`"]*)/g)) yield `run ${flags}`
  }
}

async function check(command: string): Promise<string[]> {
  const words = command
    .replaceAll(/\$\{[^}]*\}?/g, "x")
    .split(" ")
    .filter((word) => word !== "")
  let entry: CommandEntry | undefined = COMMANDS[words[0] ?? ""]
  let at = 1
  if (entry?.subcommands !== undefined) entry = entry.subcommands[words[at++] ?? ""]
  if (entry?.load === undefined) return [`no command: ${command}`]
  const { flags } = await entry.load()
  const letters = new Set(Object.values(flags).flatMap(({ short }) => short ?? []))
  return words.slice(at).flatMap((word) => {
    if (word === "infinity" || !word.startsWith("-")) return []
    const isKnown = word.startsWith("--")
      ? word.slice(2).split("=")[0]! in flags
      : [...word.slice(1)].every((letter) => letters.has(letter))
    return isKnown ? [] : [`no flag ${word}: ${command}`]
  })
}

test("every command that dhow why recommends exists, with its flags", async () => {
  const commands = [...named()]
  expect(commands.length).toBeGreaterThan(40)
  expect((await Promise.all(commands.map(check))).flat()).toEqual([])
})
