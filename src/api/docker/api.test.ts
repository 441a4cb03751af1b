import { describe, expect, test } from "bun:test"
import { DhowError, type ErrorKind } from "../../lib/errors.ts"
import type { ImageSummary } from "../../wire/image.ts"
import { answer, call, engineWith, sent } from "./test-call.ts"

const nothing = engineWith({})

test("routes that Docker does not have answer its 404", async () => {
  for (const line of ["GET /nope", "GET /v1.41/nope", "PUT /info", "GET /v1.99/nope", "POST /session", "POST /grpc"])
    expect(await answer(nothing, line)).toEqual({ status: 404, body: { message: "page not found" } })
})

test("a version outside the range is refused on every route", async () => {
  expect((await answer(nothing, "GET /v1.99/_ping")).status).toBe(400)
  expect((await answer(nothing, "GET /v1.12/_ping")).status).toBe(400)
  expect(await answer(nothing, "GET /v1.24/_ping")).toEqual({ status: 200, body: "OK" })
})

test.each([
  ["invalid", 400],
  ["unauthorized", 401],
  ["forbidden", 403],
  ["not-found", 404],
  ["conflict", 409],
  ["not-implemented", 501],
  ["unavailable", 503],
  ["internal", 500],
] as const satisfies readonly (readonly [ErrorKind, number])[])(
  "an error of kind %s is status %d",
  async (kind, status) => {
    const engine = engineWith({
      containers: {
        async pause() {
          throw new DhowError(kind, "Cannot do it", { cause: new Error("deep reason"), hint: "Try again" })
        },
      },
    })
    expect(await answer(engine, "POST /containers/x/pause")).toEqual({
      status,
      body: { message: "Cannot do it: deep reason (Try again)", hint: "Try again" },
    })
  },
)

test("start and stop tell a change from none", async () => {
  const outcomes = { start: "started", stop: "unchanged" } as { start: "started"; stop: "unchanged" }
  const engine = engineWith({ containers: { start: async () => outcomes.start, stop: async () => outcomes.stop } })
  expect(await answer(engine, "POST /containers/x/start")).toEqual({ status: 204, body: "" })
  expect(await answer(engine, "POST /containers/x/stop?t=3")).toEqual({ status: 304, body: "" })
  expect((await answer(engine, "POST /containers/x/start", { body: '{"Binds":[]}' })).status).toBe(400)
})

test("stop takes a signal since 1.42 only", async () => {
  const seen: unknown[] = []
  const engine = engineWith({
    containers: {
      async stop(_reference, options) {
        seen.push(options)
        return "stopped"
      },
    },
  })
  await answer(engine, "POST /v1.41/containers/x/stop?t=-1&signal=INT")
  await answer(engine, "POST /v1.42/containers/x/stop?signal=INT")
  expect(seen).toEqual([{ timeout: -1 }, { signal: "INT" }])
})

test("kill puts Docker's words in front of the reason", async () => {
  const engine = engineWith({
    containers: {
      async kill(reference) {
        throw new DhowError("not-found", `No such container: ${reference}`, { hint: "List them" })
      },
    },
  })
  expect(await answer(engine, "POST /containers/x/kill")).toEqual({
    status: 404,
    body: { message: "cannot kill container: x: No such container: x (List them)", hint: "List them" },
  })
})

test("list takes since and before as the filters they became", async () => {
  let seen: unknown
  const engine = engineWith({
    containers: {
      async list(options) {
        seen = options
        return []
      },
    },
  })
  await answer(engine, 'GET /containers/json?all=1&limit=3&before=x&filters={"status":["exited"]}')
  expect(seen).toEqual({
    all: true,
    size: false,
    limit: 3,
    filters: new Map([
      ["status", ["exited"]],
      ["before", ["x"]],
    ]),
  })
})

test("resize words its refusals as Docker does", async () => {
  expect(await answer(nothing, "POST /containers/x/resize?h=a&w=1")).toEqual({
    status: 400,
    body: { message: 'invalid resize height "a": invalid syntax' },
  })
})

test("images are listed as each version has them", async () => {
  const image: ImageSummary = {
    Containers: 2,
    Created: 1,
    Id: "sha256:1",
    Labels: null,
    ParentId: "",
    RepoDigests: [],
    RepoTags: [],
    SharedSize: -1,
    Size: 7,
  }
  const engine = engineWith({ images: { list: async () => [image] } })
  expect((await answer(engine, "GET /images/json")).body).toEqual([image])
  expect((await answer(engine, "GET /v1.42/images/json")).body).toEqual([
    { ...image, Containers: -1, VirtualSize: 7, RepoTags: ["<none>:<none>"], RepoDigests: ["<none>@<none>"] },
  ])
})

test("an engine outside of a swarm says so", async () => {
  for (const line of ["GET /nodes", "GET /v1.30/services/x", "POST /secrets/create", "GET /swarm"])
    expect(await answer(nothing, line)).toMatchObject({
      status: 503,
      body: { message: expect.stringContaining("This node is not a swarm manager") },
    })
  expect(await answer(nothing, "GET /plugins")).toEqual({ status: 200, body: [] })
})

describe("wait", () => {
  const engine = engineWith({ containers: { wait: async () => ({ result: Promise.resolve({ StatusCode: 3 }) }) } })
  test("sends its head before the result, since 1.30", async () => {
    const reply = await call(engine, "POST /v1.30/containers/x/wait?condition=next-exit")
    expect(reply).toMatchObject({ kind: "stream", status: 200 })
    expect((await call(engine, "POST /v1.29/containers/x/wait")).kind).toBe("whole")
  })
  test("refuses a condition it does not know", async () => {
    expect((await answer(engine, "POST /containers/x/wait?condition=soon")).body).toEqual({
      message: 'invalid condition: "soon"',
    })
  })
})

describe("progress", () => {
  const pulling = (steps: (progress: (line: object) => void) => Promise<void>) =>
    call(
      engineWith({ images: { pull: (_reference, { progress }) => steps(progress) } }),
      "POST /images/create?fromImage=a",
    )

  test("that begins is told line by line, and a failure after it in the stream", async () => {
    const reply = await pulling(async (progress) => {
      progress({ status: "Pulling" })
      await Bun.sleep(1)
      progress({ status: "Half" })
      throw new DhowError("internal", "Disk full")
    })
    if (reply.kind !== "stream") throw new Error("Not a stream")
    const lines = (await sent(reply)).trim().split("\r\n")
    expect(lines.map((line) => JSON.parse(line))).toEqual([
      { status: "Pulling" },
      { status: "Half" },
      { errorDetail: { message: "Disk full" }, error: "Disk full" },
    ])
  })
  test("that never begins fails with its status", async () => {
    const reply = await pulling(async () => {
      throw new DhowError("not-found", "No such image")
    })
    expect(reply).toMatchObject({ kind: "whole", status: 404 })
  })
  test("that says nothing is an empty success", async () => {
    expect(await pulling(async () => {})).toMatchObject({ kind: "stream", status: 200 })
  })
})

test("events before 1.46 leave out the creation of images", async () => {
  const message = (Type: "image" | "container") =>
    ({ Type, Action: "create", Actor: { ID: "x", Attributes: {} }, scope: "local", time: 1, timeNano: 1e9 }) as const
  const engine = engineWith({
    events: {
      async *subscribe() {
        yield message("image")
        yield message("container")
      },
    },
  })
  for (const [api, count] of [
    ["1.45", 1],
    ["1.46", 2],
  ] as const) {
    const { body } = await answer(engine, `GET /v${api}/events`)
    expect(typeof body === "string" ? body.trim().split("\n").length : 1).toBe(count)
  }
  expect((await answer(engine, "GET /events?since=20&until=10")).body).toEqual({
    message: "`since` time (20) cannot be after `until` time (10)",
  })
})
