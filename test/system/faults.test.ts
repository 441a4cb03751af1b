// What goes wrong around the engine: a full disk, a read-only one, damaged rows, missing programs, helpers that are
// killed. Each is told in one clear line, costs nobody else anything, and leaves nothing behind.
import { Database } from "bun:sqlite"
import { afterEach, beforeEach, expect, test } from "bun:test"
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Answer, busyboxTar, TestEngine } from "../support/engine.ts"
import { agree } from "../support/invariants.ts"
import { conmons, processesNaming, remains } from "../support/kernel-objects.ts"

const image = busyboxTar()
const FULL = /no space|disk is full|free some space/i
let engine: TestEngine

type Inspect = { Id: string; State: { Status: string; ExitCode: number; Pid: number } }

beforeEach(() => {
  engine = new TestEngine()
})

afterEach(async () => {
  expect(engine.log()).not.toMatch(/caught by nobody|awaited by nobody/)
  engine.wrapper = []
  await engine.destroy()
  expect(remains(engine)).toEqual([])
}, 30_000)

async function begin(): Promise<void> {
  await engine.start()
  await engine.must("POST", "/images/create?fromSrc=-&repo=bb", image)
}

async function create(name: string, command: string, hostConfig: Record<string, unknown> = {}): Promise<Answer> {
  const body = { Image: "bb", Cmd: ["sh", "-c", command], HostConfig: hostConfig }
  return await engine.call("POST", `/containers/create?name=${name}`, body)
}

async function run(name: string, command: string, hostConfig: Record<string, unknown> = {}): Promise<void> {
  expect((await create(name, command, hostConfig)).status).toBe(201)
  await engine.must("POST", `/containers/${name}/start`)
}

const inspect = (name: string): Promise<Inspect> => engine.must<Inspect>("GET", `/containers/${name}/json`)

/** The complaint of an answer, which is one line. */
function complaint(answer: Answer): string {
  const { message } = answer.json as { message: string }
  expect(message.trim()).not.toContain("\n")
  return message
}

function mount(...words: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(["mount", ...words])
  if (exitCode !== 0) throw new Error(stderr.toString())
}

async function within<T>(milliseconds: number, what: Promise<T>): Promise<T> {
  const late = Bun.sleep(milliseconds).then(() => {
    throw new Error("It takes too long")
  })
  return await Promise.race([what, late])
}

/** An engine whose data root has a small disk of its own. */
function withDisk(): string {
  engine = new TestEngine([], "disk/data")
  const disk = join(engine.root, "disk")
  mkdirSync(disk, { recursive: true })
  mount("-t", "tmpfs", "-o", "size=48m", "tmpfs", disk)
  return disk
}

test("on a full disk everything that needs room fails with one line, the rest goes on, and all works when there is room", async () => {
  const disk = withDisk()
  await begin()
  await run("runs", "sleep 60")
  await create("waits", "true")
  await run("ends", "sleep 1; exit 9", { NetworkMode: "none" })
  const ended = engine.must<{ StatusCode: number }>("POST", "/containers/ends/wait")
  ended.catch(() => undefined)
  for (const [name, block] of [
    ["filler", "64k"],
    ["filler2", "512"],
  ])
    Bun.spawnSync(["dd", "if=/dev/zero", `of=${join(disk, name!)}`, `bs=${block}`], { stderr: "ignore" })

  const made = await create("more", "true")
  expect(made.status).toBe(500)
  expect(complaint(made)).toMatch(FULL)
  const imported = await engine.call("POST", "/images/create?fromSrc=-&repo=other", image)
  expect(imported.text).toMatch(FULL)
  const started = await engine.call("POST", "/containers/waits/start")
  expect(started.status).toBe(500)
  expect(complaint(started)).toMatch(FULL)
  expect((await engine.call("GET", "/containers/json?all=1")).status).toBe(200)
  // What frees space, and what somebody waits for, must not fail for want of it.
  expect((await engine.call("DELETE", "/containers/runs?force=1")).status).toBe(204)
  expect((await within(5000, ended)).StatusCode).toBe(9)
  expect(engine.isRunning).toBe(true)

  for (const name of ["filler", "filler2"]) rmSync(join(disk, name))
  await engine.must("POST", "/containers/waits/start")
  await engine.must("POST", "/containers/waits/wait")
  await run("more", "exit 0")
  await engine.must("POST", "/containers/more/wait")
  await engine.must("POST", "/images/create?fromSrc=-&repo=other", image)
  await agree(engine)
}, 60_000)

test("a read-only data root is named by an engine that cannot start on it", async () => {
  const disk = withDisk()
  await begin()
  await engine.kill()
  mount("-o", "remount,ro", disk)
  const refused = await engine.start().then(
    () => "it starts",
    (error: Error) => error.message,
  )
  expect(refused).toMatch(/read-only/i)
  expect(refused).toContain(engine.dataRoot)
  // A single line, behind those of the engine before.
  expect(
    engine
      .log()
      .split("\n")
      .filter((line) => line !== "" && !line.startsWith("{")),
  ).toHaveLength(1)
  mount("-o", "remount,rw", disk)
  await engine.start()
  await run("more", "exit 0")
  await engine.must("POST", "/containers/more/wait")
  await agree(engine)
}, 60_000)

test("a damaged row is kept and named, what belongs to it is left alone, and everything else works", async () => {
  await begin()
  await run("whole", "sleep 60", { Binds: ["data:/data"] })
  await run("torn", "sleep 60", { Binds: ["other:/data"] })
  const torn = await inspect("torn")
  await engine.kill()
  const path = join(engine.dataRoot, "dhow.db")
  const select = "SELECT record FROM containers WHERE name = 'torn'"
  const before = edit(path, (database) => (database.query(select).get() as { record: string }).record)
  edit(path, (database) => {
    database.run("UPDATE containers SET record = substr(record, 1, 300) WHERE name = 'torn'")
    database.run("UPDATE volumes SET record = '{' WHERE name = 'data'")
    database.run("UPDATE events SET event = '' WHERE id = 2")
    database.run("UPDATE network_namespaces SET record = 'null' WHERE owner = $id", [torn.Id])
  })

  await engine.start()
  expect(engine.log()).toContain('container \\"torn\\"')
  const inspected = await engine.call("GET", "/containers/torn/json")
  expect(inspected.status).toBe(500)
  expect(complaint(inspected)).toContain('Container "torn" cannot be used: its row in the database is damaged')
  expect((await create("torn", "true")).status).toBe(409)
  expect((await engine.call("DELETE", "/containers/torn?force=1")).status).toBe(500)
  expect(existsSync(`/proc/${torn.State.Pid}`)).toBe(true)
  expect((await engine.call("DELETE", "/images/bb")).status).toBe(409)
  expect(await engine.must<unknown>("GET", "/containers/json")).toMatchObject([{ Names: ["/whole"] }])
  expect(((await engine.must("GET", "/volumes")) as { Volumes: unknown[] }).Volumes).toHaveLength(2)
  await engine.must("GET", "/events?since=0&until=1")
  await engine.must("DELETE", "/containers/whole?force=1")
  await run("whole", "sleep 60")

  await engine.kill()
  edit(path, (database) => database.run("UPDATE containers SET record = $before WHERE name = 'torn'", [before]))
  await engine.start()
  expect((await inspect("torn")).State).toMatchObject({ Status: "running", Pid: torn.State.Pid })
  await engine.must("POST", "/containers/torn/kill")
}, 60_000)

function edit<T>(path: string, change: (database: Database) => T): T {
  using database = new Database(path)
  return change(database)
}

test("a container whose conmon or init is killed from outside has ended, and everybody is told", async () => {
  await begin()
  for (const victim of ["conmon", "init"]) {
    await run("victim", "sleep 60")
    const { Id, State } = await inspect("victim")
    const waits = engine.must<{ StatusCode: number }>("POST", "/containers/victim/wait")
    await Bun.sleep(50)
    const monitor = processesNaming(Id).find(({ argv }) => argv[0]?.endsWith("conmon"))?.pid ?? 0
    expect(monitor).toBeGreaterThan(0)
    process.kill(victim === "conmon" ? monitor : State.Pid, "SIGKILL")
    expect((await within(5000, waits)).StatusCode).toBe(137)
    await agree(engine)
    await engine.must("POST", "/containers/victim/start")
    await engine.must("DELETE", "/containers/victim?force=1")
    await agree(engine)
  }
}, 60_000)

test("conmons killed while the engine is away are found gone, and their containers with them", async () => {
  await begin()
  await run("victim", "sleep 60")
  const { Id, State } = await inspect("victim")
  await engine.kill()
  process.kill(processesNaming(Id).find(({ argv }) => argv[0]?.endsWith("conmon"))?.pid ?? 0, "SIGKILL")
  await engine.start()
  expect((await inspect("victim")).State.Status).toBe("exited")
  await agree(engine)
  // A zombie may wait for its new parent.
  const stat = existsSync(`/proc/${State.Pid}`) ? readFileSync(`/proc/${State.Pid}/stat`, "utf8") : ") Z"
  expect(stat.split(") ").pop()).toStartWith("Z")
}, 30_000)

test("an OCI runtime that is killed in the middle of a creation leaves nothing", async () => {
  const directory = mkdtempSync(join(tmpdir(), "dhow-dying-"))
  const wrapper = join(directory, "dying")
  const delay = join(directory, "delay")
  const file = join(directory, "daemon.json")
  writeFileSync(
    wrapper,
    `#!/bin/sh\ncase " $* " in *" create "*) ;; *) exec /usr/bin/crun "$@" ;; esac
/usr/bin/crun "$@" &\npid=$!\nsleep $(cat ${delay})\nkill -9 $pid\nwait $pid\nexit 1\n`,
  )
  chmodSync(wrapper, 0o755)
  writeFileSync(file, JSON.stringify({ runtimes: { dying: { path: wrapper } } }))
  engine = new TestEngine(["--config-file", file])
  try {
    await begin()
    for (const seconds of [0, 0.002, 0.004, 0.006, 0.008, 0.01]) {
      writeFileSync(delay, String(seconds))
      await create("dies", "sleep 60", { Runtime: "dying" })
      const started = await engine.call("POST", "/containers/dies/start")
      if (started.status !== 204) complaint(started)
      await engine.must("DELETE", "/containers/dies?force=1")
      await agree(engine)
      expect(readdirSync(join(engine.execRoot, "runtime-dying"))).toEqual([])
    }
    expect(conmons(engine.execRoot)).toEqual([])
  } finally {
    await engine.destroy()
    rmSync(directory, { recursive: true })
    engine = new TestEngine()
  }
}, 60_000)

test("a missing conmon or crun is named with its package, and the engine serves all the same", async () => {
  for (const program of ["conmon", "crun"]) {
    const upper = join(engine.root, "upper")
    const work = join(engine.root, "work")
    for (const directory of [upper, work]) mkdirSync(directory, { recursive: true })
    rmSync(join(upper, "crun"), { force: true })
    rmSync(join(upper, "conmon"), { force: true })
    Bun.spawnSync(["mknod", join(upper, program), "c", "0", "0"])
    const script = `mount -t overlay -o lowerdir=/usr/bin,upperdir=${upper},workdir=${work} overlay /usr/bin && exec "$@"`
    engine.wrapper = ["unshare", "-m", "sh", "-c", script, "sh"]
    await begin()
    expect(await create("needs", "true", { NetworkMode: "none" })).toMatchObject({ status: 201 })
    const answer = await engine.call("POST", "/containers/needs/start")
    expect(answer.status).toBe(503)
    expect(complaint(answer)).toMatch(program === "crun" ? /apt-get install crun/ : /Install the package conmon/)
    await engine.must("DELETE", "/containers/needs")
    await engine.kill()
  }
}, 60_000)

test("two engines never share a state root", async () => {
  await begin()
  const second = Bun.spawnSync([
    process.execPath,
    join(import.meta.dir, "../../src/main.ts"),
    "daemon",
    ...engine.flags,
  ])
  expect(second.exitCode).toBe(1)
  expect(second.stderr.toString().trim().split("\n")).toHaveLength(1)
  expect(readFileSync(`/proc/${engine.pid}/comm`, "utf8")).not.toBe("")
  expect((await engine.call("GET", "/_ping")).status).toBe(200)
})
