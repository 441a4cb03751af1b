import { expect, test } from "bun:test"
import { parseMountinfo } from "./mountinfo.ts"

test("parseMountinfo() reads ids, path, type and options, blanks in names included", () => {
  const text = [
    "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue",
    "40 36 0:44 / /a\\040b\\134c ro,nosuid - overlay overlay ro,lowerdir=/x",
    "",
  ].join("\n")
  expect(parseMountinfo(text)).toEqual([
    { id: 36, parent: 35, path: "/mnt2", type: "ext3", options: ["rw", "noatime"], propagation: ["master:1"] },
    { id: 40, parent: 36, path: "/a b\\c", type: "overlay", options: ["ro", "nosuid"], propagation: [] },
  ])
})
