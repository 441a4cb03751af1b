import { describe, expect, test } from "bun:test"
import { checkHealthcheck, checkOf, judge, nextInterval } from "./health.ts"

const SECOND = 1e9
const check = checkOf({
  Healthcheck: { Test: ["CMD", "true"], StartPeriod: 60 * SECOND, StartInterval: SECOND, Retries: 2 },
})!

describe("checkOf()", () => {
  test("fills in Docker's defaults", () => {
    expect(checkOf({ Healthcheck: { Test: ["CMD", "curl", "-f", "x"] } })).toEqual({
      command: ["curl", "-f", "x"],
      interval: 30_000,
      timeout: 30_000,
      startPeriod: 0,
      startInterval: 5000,
      retries: 3,
    })
  })

  test("gives CMD-SHELL to the image's shell, or else to /bin/sh", () => {
    const Healthcheck = { Test: ["CMD-SHELL", "exit 1 || true"] }
    expect(checkOf({ Healthcheck })?.command).toEqual(["/bin/sh", "-c", "exit 1 || true"])
    expect(checkOf({ Healthcheck, Shell: ["/bin/bash", "-ec"] })?.command[0]).toBe("/bin/bash")
  })

  test.each([undefined, null, {}, { Test: [] }, { Test: ["NONE"] }, { Test: ["CMD"] }, { Test: ["HTTP", "/"] }])(
    "finds nothing to check in %j",
    (Healthcheck) => {
      expect(checkOf(Healthcheck === undefined ? {} : { Healthcheck })).toBeUndefined()
    },
  )

  test("never makes a busy loop of an image's numbers, nor a timer that overflows", () => {
    const Test = ["CMD", "true"]
    expect(checkOf({ Healthcheck: { Test, Interval: -1, Timeout: 5, Retries: -2 } })).toMatchObject({
      interval: 30_000,
      timeout: 30_000,
      retries: 3,
    })
    expect(checkOf({ Healthcheck: { Test, Interval: 1e9 * 1e9 } })?.interval).toBe(2 ** 31 - 1)
  })
})

test("checkHealthcheck() refuses in Docker's words", () => {
  for (const name of ["Interval", "Timeout", "StartPeriod", "StartInterval"])
    for (const value of [1, 999_999, -1])
      expect(() => checkHealthcheck({ [name]: value })).toThrow(`${name} in Healthcheck cannot be less than 1ms`)
  expect(() => checkHealthcheck({ Retries: -1 })).toThrow("Retries in Healthcheck cannot be negative")
  checkHealthcheck({ Interval: 0, Timeout: 1e6, Retries: 0 })
  checkHealthcheck(null)
})

describe("judge()", () => {
  const starting = { status: "starting", failingStreak: 0 } as const

  test("makes healthy of one good result, and unhealthy of as many bad ones as are allowed", () => {
    const healthy = judge(check, { status: "unhealthy", failingStreak: 7 }, 0, 0)
    expect(healthy).toEqual({ status: "healthy", failingStreak: 0 })
    const once = judge(check, healthy, 1, 0)
    expect(once).toEqual({ status: "healthy", failingStreak: 1 })
    expect(judge(check, once, -1, 0)).toEqual({ status: "unhealthy", failingStreak: 2 })
  })

  test("counts no failure in the start period until it was healthy once", () => {
    expect(judge(check, starting, 1, 59_999)).toEqual(starting)
    expect(judge(check, starting, 1, 60_000)).toEqual({ status: "starting", failingStreak: 1 })
    expect(judge(check, { status: "healthy", failingStreak: 0 }, 1, 10)).toMatchObject({ failingStreak: 1 })
  })
})

test("nextInterval() is short while the container starts", () => {
  expect(nextInterval(check, "starting", 59_999)).toBe(1000)
  expect(nextInterval(check, "healthy", 10)).toBe(30_000)
  expect(nextInterval(check, "starting", 60_000)).toBe(30_000)
})
