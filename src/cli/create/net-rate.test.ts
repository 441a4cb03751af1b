import { expect, test } from "bun:test"
import { netRateText, parseNetRate } from "./net-rate.ts"

test("parseNetRate() takes bits with a bit suffix and bytes without, for both ways or each", () => {
  expect(parseNetRate("10mbit")).toEqual({ In: 1_250_000, Out: 1_250_000 })
  expect(parseNetRate("1.5Gbit/s")).toEqual({ In: 187_500_000, Out: 187_500_000 })
  expect(parseNetRate("in=100mbit,out=5m")).toEqual({ In: 12_500_000, Out: 5 * 1024 ** 2 })
  expect(parseNetRate("out=64k")).toEqual({ In: 0, Out: 65536 })
  expect(parseNetRate("0")).toEqual({ In: 0, Out: 0 })
})

test("parseNetRate() refuses what is no rate, a way twice, and another way", () => {
  for (const text of ["", "fast", "-1", "in=", "in=1m,in=2m", "up=1m", "1m,2m", "10mbits2", "in=1m,", "1e6"])
    expect(() => parseNetRate(text)).toThrow("invalid traffic limit")
})

test("netRateText() is read back as the same rate", () => {
  for (const text of ["10mbit", "in=1gbit", "out=1.5mbit", "in=100mbit,out=10mbit"])
    expect(netRateText(parseNetRate(text))).toBe(text)
  for (const rate of [{ In: 1001, Out: 5242880 }, { In: 65536 }, { Out: 123456789 }])
    expect(parseNetRate(netRateText(rate))).toEqual({ In: 0, Out: 0, ...rate })
  expect(netRateText({})).toBe("")
})
