// A removal by force removes, whatever the container does in that very moment.
import { expect, test } from "bun:test"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()

test.skipIf(process.getuid?.() !== 0)("one that ends while it is being paused is removed all the same", async () => {
  const answers = new Set<number>()
  for (let turn = 0; turn < 24; turn++) {
    await engine.must("POST", `/containers/create?name=brief${turn}`, {
      Image: "bb",
      Cmd: ["sh", "-c", `sleep 0.0${turn % 5}; exit 3`],
    })
    await engine.must("POST", `/containers/brief${turn}/start`)
    await engine.call("POST", `/containers/brief${turn}/pause`)
    const { status } = await engine.call("DELETE", `/containers/brief${turn}?force=1`)
    answers.add(status)
  }
  expect([...answers]).toEqual([204])
})
