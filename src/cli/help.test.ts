import { expect, test } from "bun:test"
import type { CommandEntry } from "./command.ts"
import { COMMANDS } from "./commands.ts"
import { bashScript } from "./completion/bash.ts"
import { completionModel } from "./completion/model.ts"
import { commandHelp, groupHelp, topHelp } from "./help.ts"

async function* texts(table: Readonly<Record<string, CommandEntry>>, parent = ""): AsyncGenerator<[string, string]> {
  for (const [name, entry] of Object.entries(table)) {
    const path = `${parent}${name}`
    if (entry.load !== undefined) yield [path, commandHelp(path, await entry.load())]
    if (entry.subcommands !== undefined) {
      yield [path, groupHelp(path, entry)]
      yield* texts(entry.subcommands, `${path} `)
    }
  }
}

test("every help text fits into 80 columns and has no flag twice", async () => {
  const all: [string, string][] = [["", topHelp(COMMANDS)]]
  for await (const one of texts(COMMANDS)) all.push(one)
  for (const [path, text] of all) {
    expect([path, text.split("\n").filter((line) => line.length > 80)]).toEqual([path, []])
    expect(text).toStartWith("Usage:  dhow")
  }
  expect(all.length).toBeGreaterThan(60)
})

test("no command gives a letter to two flags", async () => {
  const check = async (table: Readonly<Record<string, CommandEntry>>): Promise<void> => {
    for (const [name, entry] of Object.entries(table)) {
      const command = await entry.load?.()
      const letters = Object.values(command?.flags ?? {}).flatMap(({ short }) => short ?? [])
      expect([name, new Set(letters).size]).toEqual([name, letters.length])
      if (entry.subcommands !== undefined) await check(entry.subcommands)
    }
  }
  await check(COMMANDS)
})

test("the completion script for bash offers commands, flags, and subcommands", async () => {
  const script = `${bashScript(await completionModel(COMMANDS))}
    complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _dhow; echo "\${COMPREPLY[*]}"; }
    complete_line dhow ru
    complete_line dhow container pr
    complete_line dhow run --priv
    complete_line dhow network ""`
  const shell = Bun.spawnSync(["bash", "-c", script])
  expect(shell.stderr.toString()).toBe("")
  expect(shell.stdout.toString()).toBe(
    "run\nprune\n--privileged\nconnect create disconnect inspect ls map prune resolve rm\n",
  )
})
