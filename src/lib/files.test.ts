import { expect, test } from "bun:test"
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { removeTree } from "./files.ts"

test("a tree that two delete at once is gone for both", async () => {
  const root = mkdtempSync(join(tmpdir(), "dhow-files-"))
  for (let round = 0; round < 10; round++) {
    const tree = join(root, `tree${round}`)
    for (let directory = 0; directory < 20; directory++) {
      mkdirSync(join(tree, `${directory}`), { recursive: true })
      for (let file = 0; file < 20; file++) writeFileSync(join(tree, `${directory}`, `${file}`), "")
    }
    const gone = async () => {
      await removeTree(tree)
      return !existsSync(tree)
    }
    expect(await Promise.all([gone(), gone(), gone()])).toEqual([true, true, true])
  }
  await removeTree(root)
  expect(existsSync(root)).toBe(false)
})

test("what is not there is fine to delete", async () => {
  await removeTree(join(tmpdir(), "dhow-files-none"))
})
