import { expect, test } from "bun:test"
import { Pool } from "./pool.ts"

test("Pool.take() gives what is ready in order, and makes one when nothing is", async () => {
  let made = 0
  const filled = Promise.withResolvers<void>()
  const pool = new Pool(
    () => 2,
    () => {
      if (++made === 2) filled.resolve()
      return made
    },
  )
  pool.fill()
  await filled.promise
  expect([pool.take(), pool.take(), pool.take()]).toEqual([1, 2, 3])
  pool.close()
})

test("Pool.fill() stops at the size and never makes more after close()", async () => {
  let made = 0
  const pool = new Pool(
    () => 1,
    () => ++made,
  )
  pool.adopt(0)
  pool.fill()
  pool.close()
  expect(pool.drain()).toEqual([0])
  pool.fill()
  await Bun.sleep(40)
  expect(made).toBe(0)
})
