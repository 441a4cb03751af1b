import { expect, test } from "bun:test"
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { treeDifference } from "./same-tree.ts"

async function after(change: (copy: string) => void): Promise<string | undefined> {
  const root = mkdtempSync(join(tmpdir(), "dhow-same-"))
  try {
    const [a, b] = [join(root, "a"), join(root, "b")]
    mkdirSync(join(a, "dir/deep"), { recursive: true })
    writeFileSync(join(a, "dir/deep/file"), "x".repeat(3 << 20))
    symlinkSync("file", join(a, "dir/deep/link"))
    Bun.spawnSync(["cp", "-a", a, b])
    change(a)
    return await treeDifference(a, b)
  } finally {
    rmSync(root, { recursive: true })
  }
}

test("treeDifference() finds nothing in a copy", async () => {
  expect(await after(() => {})).toBeUndefined()
})

test("treeDifference() names what differs", async () => {
  const changes: readonly (readonly [string, (root: string) => void])[] = [
    ['"dir/deep/file" is missing', (root) => unlinkSync(join(root, "dir/deep/file"))],
    ['"dir/extra" is one too many', (root) => writeFileSync(join(root, "dir/extra"), "")],
    ['"dir/deep/file" has another time', (root) => utimesSync(join(root, "dir/deep/file"), 1, 1)],
    ['"dir/deep" has another type, mode or owner', (root) => Bun.spawnSync(["chmod", "700", join(root, "dir/deep")])],
    ['"dir/deep/link" leads elsewhere', (root) => Bun.spawnSync(["sh", "-c", `ln -sfn other ${root}/dir/deep/link`])],
    [
      '"dir/deep/file" has other bytes',
      (root) =>
        Bun.spawnSync([
          "sh",
          "-c",
          `cd ${root}/dir/deep && touch -r file ../../t && printf y | dd of=file bs=1 seek=2500000 conv=notrunc && touch -r ../../t file && rm ../../t`,
        ]),
    ],
  ]
  for (const [said, change] of changes) expect(await after(change)).toBe(said)
})
