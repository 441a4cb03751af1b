// What the stack shows, scene by scene, in the order they are played: each finds the stack as the one before has left it.
import { readFileSync } from "node:fs"
import type { ComposeContainer, Project } from "../../test/support/compose.ts"
import type { TestEngine } from "../../test/support/engine.ts"
import { Load, type StackClient } from "./client.ts"

export type Stack = { readonly engine: TestEngine; readonly project: Project; readonly client: StackClient }
export type Scene = {
  readonly title: string
  play(stack: Stack, say: (line: string) => void): Promise<void>
}

type Inspected = {
  readonly Id: string
  readonly State: { readonly StartedAt: string; readonly FinishedAt: string; readonly Pid: number }
}

const UP = ["up", "-d", "--wait", "--quiet-pull"]
const LONG = { patience: 180_000 }
/** Long enough for restarts of healthchecks, resolvers and connections, were any of them the daemon's. */
const WITHOUT_ENGINE_MS = 8_000

function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`This does not hold: ${what}`)
}

async function up({ project }: Stack, ...more: readonly string[]): Promise<void> {
  const { status, stderr } = await project.run([...UP, ...more], LONG)
  must(status === 0, `compose up ${more.join(" ")} ends well: ${stderr}`)
}

async function inspect({ engine }: Stack, name: string): Promise<Inspected> {
  return await engine.must<Inspected>("GET", `/containers/${name}/json`)
}

async function running({ project }: Stack): Promise<readonly ComposeContainer[]> {
  return (await project.containers()).filter(({ State }) => State === "running")
}

function counted(containers: readonly ComposeContainer[]): string {
  const services = [...new Set(containers.map(({ Service }) => Service))].sort()
  return services.map((name) => `${name} ×${containers.filter(({ Service }) => Service === name).length}`).join(", ")
}

/** Waits until what is asked holds, and fails with the last answer when it does not come to. */
async function eventually<T>(what: string, ask: () => Promise<T>, holds: (seen: T) => boolean): Promise<T> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const seen = await ask()
    if (holds(seen)) return seen
    must(Date.now() < deadline, `${what}: ${JSON.stringify(seen)}`)
    await Bun.sleep(200)
  }
}

async function hosts({ client }: Stack, wanted: number): Promise<ReadonlySet<string>> {
  const seen = new Set<string>()
  await eventually(
    `${wanted} containers answer through nginx`,
    async () => [...seen.add((await client.visit()).host)],
    (names) => names.length >= wanted,
  )
  return seen
}

export const orderByHealth: Scene = {
  title: "up: each begins when what it needs is healthy",
  async play(stack, say) {
    await up(stack)
    const names = ["postgres-1", "migrate-1", "app-1", "nginx-1"]
    const states = await Promise.all(names.map((name) => inspect(stack, `compose-stack-${name}`)))
    const [postgres, migrate, app, nginx] = states.map(({ State }) => State)
    must(postgres!.StartedAt < migrate!.StartedAt, "the migration begins after the database")
    must(migrate!.FinishedAt <= app!.StartedAt, "the application begins when the migration is done")
    must(app!.StartedAt < nginx!.StartedAt, "nginx begins after the application")
    const containers = await running(stack)
    must(
      containers.every(({ Health }) => Health === "healthy"),
      "all that runs is healthy",
    )
    say(`running and healthy: ${counted(containers)}; migrate ended with 0`)
    say(`postgres ${postgres!.StartedAt.slice(11, 23)}, migrate done ${migrate!.FinishedAt.slice(11, 23)}`)
    say(`app ${app!.StartedAt.slice(11, 23)}, nginx ${nginx!.StartedAt.slice(11, 23)}`)
  },
}

export const resolution: Scene = {
  title: "names, networks, and the published port",
  async play(stack, say) {
    const { project, client } = stack
    const lookup = async (service: string, name: string): Promise<readonly string[]> => {
      const { stdout } = await project.run(["exec", "-T", service, "getent", "ahostsv4", name])
      return [...new Set(stdout.split("\n").flatMap((line) => line.split(" ")[0] || []))]
    }
    const database = await lookup("app", "postgres")
    must(database.length === 1, "app finds postgres by its service's name")
    must((await lookup("app", "visits")).length === 1, "app finds redis by its alias")
    must((await lookup("nginx", "app")).length === 2, "nginx finds both containers of app by one name")
    must((await lookup("nginx", "postgres")).length === 0, "nginx, on another network, does not find postgres")
    say(`postgres is ${database[0]} to app, and nobody to nginx; app is two addresses to nginx; redis is also "visits"`)
    const id = await client.note("the first")
    must((await client.notes()).includes(id), "a note is kept")
    const seen = await hosts(stack, 2)
    say(`through the published port: note ${id} is kept, ${seen.size} containers answer`)
    const routes = (await project.ok("exec", "-T", "postgres", "cat", "/proc/net/route")).split("\n").slice(1)
    must(
      routes.every((line) => line.split("\t")[1] !== "00000000"),
      "the network of the stores has no way out",
    )
    say("postgres has no route to the outside")
  },
}

export const scaling: Scene = {
  title: "a scaled service behind nginx",
  async play(stack, say) {
    await up(stack, "--scale", "app=4", "--no-recreate")
    const four = await hosts(stack, 4)
    must((await running(stack)).filter(({ Service }) => Service === "app").length === 4, "four containers of app run")
    say(`4 of app: ${four.size} answer`)
    await up(stack, "--scale", "app=1", "--no-recreate")
    const left = (await running(stack)).filter(({ Service }) => Service === "app")
    must(left.length === 1, "one container of app is left")
    await eventually(
      "only the one that is left answers",
      async () => [...new Set(await Promise.all([1, 2, 3, 4].map(async () => (await stack.client.visit()).host)))],
      (names) => names.length === 1 && left[0]!.ID.startsWith(names[0]!),
    )
    await up(stack)
    await hosts(stack, 2)
    say("1 of app: it alone answers; 2 again: both")
  },
}

export const survival: Scene = {
  title: "the volumes survive down and up",
  async play(stack, say) {
    const { project, client } = stack
    const before = await client.notes()
    const { visits } = await client.visit()
    await project.run(["down"], LONG)
    must((await project.containers()).length === 0, "nothing is left of the containers")
    await up(stack)
    must((await client.notes()).join() === before.join(), "all notes are there")
    must((await client.visit()).visits === visits + 1, "the visits are counted on")
    say(`${before.length} notes and ${visits} visits were there again`)
  },
}

export const killedWhileServing: Scene = {
  title: "the engine killed with SIGKILL while the stack serves",
  async play(stack, say) {
    const { engine, project, client } = stack
    const before = await running(stack)
    const load = new Load(client)
    await eventually(
      "the load runs",
      async () => load.kept.length,
      (count) => count > 10,
    )
    await engine.kill()
    const atDeath = load.kept.length
    await Bun.sleep(WITHOUT_ENGINE_MS)
    const during = load.kept.length - atDeath
    must(during > 0 && load.failures.length === 0, `requests go on without the engine: ${load.failures[0]}`)
    say(`${during} notes in the ${WITHOUT_ENGINE_MS / 1000} s without an engine, no request failed`)
    await engine.start()
    await load.end()
    must(load.failures.length === 0, `no request fails while it comes back: ${load.failures[0]}`)
    const after = await running(stack)
    const ids = (list: readonly ComposeContainer[]): string =>
      list
        .map(({ ID }) => ID)
        .sort()
        .join()
    must(ids(after) === ids(before), "the same containers run")
    await eventually(
      "all are healthy",
      () => running(stack),
      (list) => list.every(({ Health }) => Health === "healthy"),
    )
    const known = new Set(await client.notes())
    must(
      load.kept.every((id) => known.has(id)),
      "every note that was promised is there",
    )
    const logged = (await project.ok("logs", "--no-log-prefix", "nginx")).split("\n")
    const posts = logged.filter((line) => line.startsWith("POST /notes HTTP/1.1 201"))
    must(posts.length >= load.kept.length, "the log has the requests of that time too")
    say(
      `after its start: the same ${after.length} containers, healthy; ${load.kept.length} notes, all there and in nginx's log`,
    )
    await whatDiesWithout(stack, say)
  },
}

/** A container that ends while there is no engine: its restart policy is kept when there is one again. */
async function whatDiesWithout(stack: Stack, say: (line: string) => void): Promise<void> {
  const { engine, client } = stack
  const { visits } = await client.visit()
  const { State } = await inspect(stack, "compose-stack-redis-1")
  await engine.kill()
  process.kill(State.Pid, "SIGKILL")
  await eventually(
    "redis is dead",
    async () => isAlive(State.Pid),
    (alive) => !alive,
  )
  await engine.start()
  await eventually(
    "redis is back",
    () => running(stack),
    (list) => list.some(({ Service, Health }) => Service === "redis" && Health === "healthy"),
  )
  must((await client.visit()).visits === visits + 1, "the visits are counted on")
  say("redis, killed while there was no engine, was started again and has lost nothing")
}

function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"))
  } catch {
    return false
  }
}

/** Events of the engine after which it is killed, one `up` each. */
const MOMENTS = ["network create", "container create", "network connect", "container start", "exec_create"] as const

export const killedDuringUp: Scene = {
  title: "the engine killed with SIGKILL in the middle of up",
  async play(stack, say) {
    const { engine, project, client } = stack
    const before = await client.notes()
    for (const moment of MOMENTS) {
      await project.run(["down"], LONG)
      const seen = untilEvent(stack, moment)
      const broken = project.run(UP, LONG)
      await seen
      await engine.kill()
      const { status } = await broken
      must(status !== 0, "the client whose engine dies says so")
      await engine.start()
      await up(stack)
      const containers = await project.containers()
      must(new Set(containers.map(({ Name }) => Name)).size === containers.length, "no container is there twice")
      must(containers.length === 6, `there are six containers: ${counted(containers)}`)
      must((await client.notes()).join() === before.join(), "all notes are there")
      say(`at "${moment}": up again is whole, ${before.length} notes as before`)
    }
  },
}

/** Resolves at the second event of the kind, when something is done and something is not. */
async function untilEvent({ engine }: Stack, moment: string): Promise<void> {
  const [type, action = type] = moment.split(" ") as [string, string?]
  const since = Date.now() / 1000
  const response = await fetch(`http://dhow/events?since=${since}`, { unix: engine.socket })
  const decoder = new TextDecoder()
  let text = ""
  let count = 0
  for await (const chunk of response.body!) {
    text += decoder.decode(chunk, { stream: true })
    const lines = text.split("\n")
    text = lines.pop() ?? ""
    for (const line of lines) {
      if (line === "") continue
      const event = JSON.parse(line) as { readonly Type: string; readonly Action: string }
      const matches = action === type ? event.Action.startsWith(action) : event.Type === type && event.Action === action
      if (matches && ++count === 2) return
    }
  }
}
