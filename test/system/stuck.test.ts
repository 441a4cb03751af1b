// What does not end or go as it should: processes that the kernel holds, that somebody froze, whose monitor was killed;
// volumes with something mounted in them. A removal never waits for any of them, and nothing of theirs stays for good.
import { Database } from "bun:sqlite"
import { describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { MS, mount, unmount } from "../../src/lib/syscalls/mount.ts"
import { dhow } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"
import { agree } from "../support/invariants.ts"
import { cgroupsOf, processesNaming } from "../support/kernel-objects.ts"
import { SilentFiles } from "../support/silent-files.ts"

const FREEZER = "/sys/fs/cgroup/freezer"
const hasFuse = existsSync("/dev/fuse") && readFileSync("/proc/filesystems", "utf8").includes("\tfuse\n")

describe("what does not go", () => {
  const engine = testEngine()

  type State = { Status: string; Running: boolean; ExitCode: number; Pid: number }
  const state = async (name: string): Promise<State> =>
    (await engine.must<{ State: State }>("GET", `/containers/${name}/json`)).State
  const run = async (name: string, command: string, hostConfig: Record<string, unknown> = {}): Promise<string> => {
    const body = { Image: "bb", Cmd: ["sh", "-c", command], HostConfig: { NetworkMode: "none", ...hostConfig } }
    const { Id } = await engine.must<{ Id: string }>("POST", `/containers/create?name=${name}`, body)
    await engine.must("POST", `/containers/${name}/start`)
    return Id
  }
  const runsAnew = async (name: string, before: number): Promise<boolean> => {
    const { Status, Pid } = await state(name)
    return Status === "running" && Pid !== before
  }
  const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
    const patience = Date.now() + 15_000
    while (!(await holds())) {
      if (Date.now() > patience) throw new Error(`Waited in vain: ${engine.log().slice(-1500)}`)
      await Bun.sleep(20)
    }
  }

  test.skipIf(!hasFuse)(
    "rm -f of one that hangs in the kernel names it, frees its name, and the sweep finishes",
    async () => {
      const files = SilentFiles.mountAt(join(engine.root, "silent"))
      try {
        const id = await run("hung", "cat /silent/file", { Binds: [`${files.path}:/silent`], NetworkMode: "bridge" })
        await files.asked
        const stop = await engine.call("POST", "/containers/hung/kill?signal=TERM")
        expect(stop.status).toBe(204)
        const removed = await dhow(engine).run(["rm", "-f", "hung"])
        expect(removed).toMatchObject({ status: 0, stdout: "hung\n" })
        expect(removed.stderr).toMatch(/^WARNING: hung: Removed, but process \d+ \(cat\) hangs in the kernel \(state D/)
        expect((await engine.call("GET", "/containers/hung/json")).status).toBe(404)
        // Its name is free; and the next engine knows of the rest as this one does.
        await run("hung", "exit 0")
        await engine.kill()
        await engine.start()
        expect(cgroupsOf(engine.cgroupParent)).toContain(id)
        expect(readdirSync(join(engine.execRoot, "leftovers"))).toEqual([id])
      } finally {
        files.close()
      }
      await until(() => readdirSync(join(engine.execRoot, "leftovers")).length === 0)
      await engine.must("DELETE", "/containers/hung?force=1")
      await agree(engine)
    },
  )

  test.skipIf(!existsSync(FREEZER))("what somebody froze without the engine is thawed to be killed", async () => {
    const id = await run("frozen", "sleep 600")
    const file = join(FREEZER, engine.cgroupParent, id, "freezer.state")
    writeFileSync(file, "FROZEN")
    await until(() => readFileSync(file, "utf8") === "FROZEN\n")
    await engine.must("DELETE", "/containers/frozen?force=1")
    await agree(engine)
  })

  test("a container whose monitor was killed has ended, and its policy starts it again", async () => {
    const killMonitor = (id: string): void => {
      const monitors = processesNaming(engine.execRoot).filter(({ argv }) => argv[0]?.endsWith("conmon"))
      const monitor = monitors.find(({ argv }) => argv.includes(id))
      if (monitor === undefined) throw new Error(`No monitor of ${id} among ${JSON.stringify(monitors)}`)
      process.kill(monitor.pid, "SIGKILL")
    }
    const plain = await run("unwatched", "sleep 600")
    const again = await run("again", "sleep 600", { RestartPolicy: { Name: "always" } })
    const { Pid: first } = await state("again")
    for (const id of [plain, again]) killMonitor(id)
    await until(async () => !(await state("unwatched")).Running)
    expect((await state("unwatched")).ExitCode).toBe(137)
    await until(() => runsAnew("again", first))
    // The same behind the back of an engine that is away.
    const { Pid: second } = await state("again")
    await engine.kill()
    killMonitor(again)
    await engine.start()
    await until(() => runsAnew("again", second))
    for (const name of ["unwatched", "again"]) await engine.must("DELETE", `/containers/${name}?force=1`)
    await agree(engine)
  })

  test("what is mounted in an anonymous volume is let go, not deleted", async () => {
    const { Id } = await engine.must<{ Id: string }>("POST", "/containers/create?name=busy", {
      Image: "bb",
      Cmd: ["true"],
      Volumes: { "/data": {} },
    })
    const [mounted] = (await engine.must<{ Mounts: { Source: string }[] }>("GET", `/containers/${Id}/json`)).Mounts
    const precious = join(engine.root, "precious")
    mkdirSync(precious)
    writeFileSync(join(precious, "file"), "kept")
    const place = join(mounted?.Source ?? "", "inside")
    mkdirSync(place)
    mount(precious, place, { flags: MS.BIND })
    try {
      await engine.must("DELETE", "/containers/busy?v=1")
      await until(() => !existsSync(mounted?.Source ?? ""))
      await agree(engine)
      expect(readFileSync(join(precious, "file"), "utf8")).toBe("kept")
      expect(engine.log()).toContain(place.replace(/.*\/volumes\//, ""))
    } finally {
      unmount(place)
    }
  })

  test("a stop that an engine did not live to finish is finished by the next one", async () => {
    const deaf = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    await run("deaf", deaf)
    await run("polite", "trap 'exit 3' TERM; sleep 1; while :; do sleep 0.05; done")
    await run("restarted", deaf, { AutoRemove: true })
    const { Pid: first } = await state("restarted")
    const cut = [
      engine.call("POST", "/containers/deaf/stop?t=1"),
      engine.call("POST", "/containers/polite/stop?t=-1"),
      engine.call("POST", "/containers/restarted/restart?t=1"),
    ]
    for (const call of cut) call.catch(() => undefined)
    await until(() => signalsSent() === 3)
    await engine.kill()
    await Promise.allSettled(cut)
    await engine.start()
    await until(async () => !(await state("deaf")).Running && !(await state("polite")).Running)
    expect((await state("deaf")).ExitCode).toBe(137)
    expect([3, 143]).toContain((await state("polite")).ExitCode)
    await until(() => runsAnew("restarted", first))
    for (const name of ["deaf", "polite", "restarted"]) await engine.must("DELETE", `/containers/${name}?force=1`)
    await agree(engine)
  })

  function signalsSent(): number {
    using database = new Database(join(engine.dataRoot, "dhow.db"), { readonly: true })
    const rows = database.query<{ state: string }, []>("SELECT state FROM containers").all()
    return rows.filter((row) => (JSON.parse(row.state) as { stop?: { isSent: boolean } }).stop?.isSent).length
  }
})
