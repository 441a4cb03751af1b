import { expect, test } from "bun:test"
import { bucketSizes } from "./qdisc.ts"

test("bucketSizes() lets the largest packet through at any rate, and stays within what the kernel can say", () => {
  for (const rate of [1000, 125_000, 12_500_000, 5e9, 1e12])
    for (const mtu of [576, 1500, 65535]) {
      const { burst, limit } = bucketSizes({ rate, mtu })
      expect(burst).toBeGreaterThan(mtu + 14)
      expect(limit).toBeGreaterThan(burst)
      expect(limit).toBeLessThan(2 ** 31)
    }
})
