import { expect, test } from "bun:test"
import { refuseInsideProc } from "./proc-mounts.ts"

test("only what shows a container its own limits may be mounted below /proc", () => {
  for (const path of ["/proc/cpuinfo", "/proc/net/dev", "/proc/", "/process", "/srv/proc/sys"]) refuseInsideProc(path)
  for (const path of ["/proc/sys", "//proc//sys/", "/srv/../proc/1", "/proc/sys/kernel", "/proc/cpuinfo/x"])
    expect(() => refuseInsideProc(path)).toThrow("cannot be mounted because it is inside /proc")
})
