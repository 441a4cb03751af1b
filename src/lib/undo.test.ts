import { expect, test } from "bun:test"
import { Undo } from "./undo.ts"

test("Undo runs its steps in reverse, goes on after one that fails, and lets the error of the change through", async () => {
  const done: string[] = []
  const change = async (): Promise<void> => {
    await using undo = new Undo("test")
    undo.defer(() => done.push("first"))
    undo.defer(async () => {
      throw new Error("a step that fails")
    })
    undo.defer(() => done.push("third"))
    throw new Error("the change")
  }
  await expect(change()).rejects.toThrow("the change")
  expect(done).toEqual(["third", "first"])
})

test("Undo does nothing once the change is forgotten", async () => {
  const done: string[] = []
  {
    await using undo = new Undo("test")
    undo.defer(() => done.push("never"))
    undo.forget()
  }
  expect(done).toEqual([])
})
