// The floor: the OCI runtime alone, on a bundle that is ready. No engine that uses it can be faster.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Fixtures } from "../fixtures.ts"
import { run, time, timeOutput } from "../process.ts"

export type Floor = {
  readonly version: string
  /** To write in, on the file system of the engines' state. */
  readonly directory: string
  readonly fixtures: Fixtures
  run(): Promise<number>
  exec(): Promise<number>
  output(command: string, bytes: number): Promise<number>
  close(): Promise<void>
}

type Spec = {
  process: { terminal: boolean; args: string[] }
  root: { path: string; readonly: boolean }
  linux: { cgroupsPath?: string }
}

export async function openFloor(directory: string, fixtures: Fixtures): Promise<Floor> {
  const root = join(directory, "floor")
  mkdirSync(root)
  const crun = ["crun", "--root", join(root, "state")]
  let serial = 0

  async function bundle(name: string, args: readonly string[]): Promise<string> {
    const path = join(root, name)
    mkdirSync(path)
    await run(["tar", "-C", path, "--one-top-level=rootfs", "-xf", fixtures.busybox])
    await run([...crun, "spec", "--bundle", path])
    const file = join(path, "config.json")
    const spec = JSON.parse(readFileSync(file, "utf8")) as Spec
    spec.process.terminal = false
    spec.process.args = [...args]
    spec.root = { path: "rootfs", readonly: false }
    spec.linux.cgroupsPath = `/dhow-bench/${name}`
    writeFileSync(file, JSON.stringify(spec))
    return path
  }

  const trueBundle = await bundle("true", ["true"])
  const sleeper = await bundle("sleep", ["sleep", "100000"])
  await runDetached([...crun, "run", "--detach", "--bundle", sleeper, "floor-sleep"])
  let outputBundle: string | undefined
  return {
    directory: root,
    fixtures,
    version: (await run(["crun", "--version"])).split("\n")[0] ?? "",
    run: () => time([...crun, "run", "--bundle", trueBundle, `floor-${serial++}`]),
    exec: () => time([...crun, "exec", "floor-sleep", "true"]),
    async output(command, bytes) {
      outputBundle ??= await bundle("output", ["sh", "-c", command])
      return timeOutput([...crun, "run", "--bundle", outputBundle, `floor-${serial++}`], bytes)
    },
    async close() {
      await run([...crun, "delete", "--force", "floor-sleep"])
    },
  }
}

/** What stays in the background would hold a pipe open, and its reader with it. */
async function runDetached(command: readonly string[]): Promise<void> {
  const exitCode = await Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "inherit" }).exited
  if (exitCode !== 0) throw new Error(`"${command.join(" ")}" ended with ${exitCode}`)
}
