// dockerode: attach and exec streams, with and without a terminal, half-closed; logs, events and wait.
import { expect, test } from "bun:test"
import { PassThrough, type Readable, Writable } from "node:stream"
import Docker from "dockerode"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()
const client = new Docker({ socketPath: engine.socket })

function collector(): { readonly sink: Writable; text(): string } {
  const chunks: Buffer[] = []
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { sink, text: () => Buffer.concat(chunks).toString() }
}

async function demultiplexed(stream: NodeJS.ReadableStream): Promise<{ stdout: string; stderr: string }> {
  const stdout = collector()
  const stderr = collector()
  const ended = new Promise((resolve) => stream.once("end", resolve))
  client.modem.demuxStream(stream, stdout.sink, stderr.sink)
  await ended
  return { stdout: stdout.text(), stderr: stderr.text() }
}

async function whole(stream: NodeJS.ReadableStream): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream as Readable) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

const ATTACH = { stream: true, stdin: true, stdout: true, stderr: true, hijack: true }

test("run pipes both streams apart and gives the status", async () => {
  const stdout = collector()
  const stderr = collector()
  const [result, container] = (await client.run(
    "bb",
    ["sh", "-c", "echo out; echo err >&2; exit 5"],
    [stdout.sink, stderr.sink] as unknown as NodeJS.WritableStream,
    { Tty: false },
  )) as [{ StatusCode: number }, Docker.Container]
  expect(result.StatusCode).toBe(5)
  expect({ out: stdout.text(), err: stderr.text() }).toEqual({ out: "out\n", err: "err\n" })
  await container.remove()
})

test("attach before start: input with its end, output after it", async () => {
  const container = await client.createContainer({
    Image: "bb",
    Cmd: ["sh", "-c", "cat; echo late; echo err >&2"],
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
  })
  const stream = await container.attach(ATTACH)
  const output = demultiplexed(stream)
  await container.start()
  stream.write("typed\n")
  stream.end()
  expect(await output).toEqual({ stdout: "typed\nlate\n", stderr: "err\n" })
  expect((await container.wait()).StatusCode).toBe(0)
  await container.remove()
})

test("attach with a terminal is raw, and resize reaches the program", async () => {
  const script = "read x; stty size; echo got $x"
  const container = await client.createContainer({ Image: "bb", Cmd: ["sh", "-c", script], Tty: true, OpenStdin: true })
  const stream = await container.attach(ATTACH)
  const output = whole(stream)
  await container.start()
  await container.resize({ h: 30, w: 90 })
  stream.write("word\n")
  expect(await output).toContain("30 90\r\ngot word\r\n")
  await container.remove()
})

test("exec with and without hijacking, with and without a terminal", async () => {
  const container = await client.createContainer({ Image: "bb", Cmd: ["sleep", "600"] })
  await container.start()
  const exec = await container.exec({ Cmd: ["sh", "-c", "cat; exit 3"], AttachStdin: true, AttachStdout: true })
  const stream = await exec.start({ hijack: true, stdin: true })
  const output = demultiplexed(stream)
  stream.write("in\n")
  stream.end()
  expect((await output).stdout).toBe("in\n")
  expect((await exec.inspect()).ExitCode).toBe(3)

  const plain = await container.exec({
    Cmd: ["sh", "-c", "echo a; echo b >&2"],
    AttachStdout: true,
    AttachStderr: true,
  })
  expect(await demultiplexed(await plain.start({}))).toEqual({ stdout: "a\n", stderr: "b\n" })

  const tty = await container.exec({ Cmd: ["sh", "-c", "tty"], AttachStdout: true, Tty: true })
  expect(await whole(await tty.start({ Tty: true, hijack: true, stdin: true }))).toBe("/dev/pts/0\r\n")
  await container.remove({ force: true })
})

test("logs: as one answer and followed, demultiplexed", async () => {
  const container = await client.createContainer({ Image: "bb", Cmd: ["sh", "-c", "seq 3; echo e >&2"] })
  await container.start()
  const followed = (await container.logs({ follow: true, stdout: true, stderr: true })) as NodeJS.ReadableStream
  const both = new PassThrough()
  followed.pipe(both)
  expect(await demultiplexed(both)).toEqual({ stdout: "1\n2\n3\n", stderr: "e\n" })
  const once = await container.logs({ follow: false, stdout: true })
  expect(once.toString()).toContain("3\n")
  await container.remove()
})

test("events and wait for the removal", async () => {
  const events = await client.getEvents({ filters: { type: ["container"], event: ["create", "destroy"] } })
  const container = await client.createContainer({ Image: "bb", Cmd: ["true"], HostConfig: { AutoRemove: true } })
  const removed = container.wait({ condition: "removed" })
  await container.start()
  expect((await removed).StatusCode).toBe(0)
  let text = ""
  for await (const chunk of events as Readable) {
    text += chunk.toString()
    if (text.includes('"destroy"')) break
  }
  const actions = text
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { Action: string }).Action)
  expect(actions).toEqual(["create", "destroy"])
})

test("errors carry the status and the engine's words", async () => {
  await expect(client.getContainer("no-such").inspect()).rejects.toMatchObject({
    statusCode: 404,
    json: { message: "No such container: no-such" },
  })
  await expect(client.createContainer({ Image: "no-such-image" })).rejects.toMatchObject({ statusCode: 404 })
})

test("archives, changes, commit, update, stats, top and prune", async () => {
  const box = await client.createContainer({
    Image: "bb",
    Cmd: ["sleep", "600"],
    Labels: { ode: "1" },
    HostConfig: { Memory: 64 << 20, NetworkMode: "none" },
  })
  await box.start()
  const tar = Buffer.from(await new Bun.Archive({ put: "data" }).bytes())
  await box.putArchive(tar, { path: "/tmp" })
  const got = await whole(await box.getArchive({ path: "/tmp/put" }))
  expect(got).toContain("data")
  expect(await box.changes()).toContainEqual({ Path: "/tmp/put", Kind: 1 })
  const { Id } = (await box.commit({ repo: "ode", tag: "one", comment: "why" })) as { Id: string }
  expect(await client.getImage("ode:one").inspect()).toMatchObject({ Id, Comment: "why" })
  const saved = await whole(await client.getImage("ode:one").get())
  expect(saved).toContain("manifest.json")
  await client.getImage("ode:one").remove()
  await box.update({ PidsLimit: 44 })
  expect((await box.inspect()).HostConfig.PidsLimit).toBe(44)
  const reading = await box.stats({ stream: false, "one-shot": true })
  expect(reading.memory_stats.limit).toBe(64 << 20)
  expect((await box.top({ ps_args: "-o pid,args" })).Processes[0]?.at(-1)).toBe("sleep 600")
  await box.pause()
  expect((await client.listContainers({ filters: { status: ["paused"] } })).map((found) => found.Id)).toEqual([box.id])
  await box.unpause()
  await box.rename({ name: "ode-renamed" })
  await box.kill({ signal: "KILL" })
  expect((await box.wait()).StatusCode).toBe(137)
  const { ContainersDeleted } = await client.pruneContainers({ filters: { label: ["ode=1"] } })
  expect(ContainersDeleted).toEqual([box.id])
})

test("volumes, networks and the system are listed, counted and pruned", async () => {
  const volume = await client.createVolume({ Name: "odevolume", Labels: { a: "b" } })
  expect(volume.name).toBe("odevolume")
  expect((await client.listVolumes({ filters: { label: ["a=b"] } })).Volumes.map(({ Name }) => Name)).toEqual([
    "odevolume",
  ])
  await client.getVolume("odevolume").remove()
  expect((await client.listNetworks()).map(({ Name }) => Name).sort()).toEqual(["bridge", "host", "none"])
  expect(await client.getNetwork("bridge").inspect()).toMatchObject({ Driver: "bridge" })
  expect(await client.df()).toHaveProperty("LayersSize")
  expect(await client.info()).toMatchObject({ OSType: "linux" })
  expect((await client.version()).MinAPIVersion).toBe("1.24")
  expect(String(await client.ping())).toBe("OK")
  expect((await client.pruneImages()).SpaceReclaimed).toBeNumber()
  expect((await client.getImage("bb").history()).length).toBeGreaterThan(0)
  await client.getImage("bb").tag({ repo: "odetag", tag: "one" })
  expect(await client.getImage("odetag:one").remove()).toEqual([{ Untagged: "odetag:one" }])
  const network = await client.createNetwork({ Name: "odenet", Internal: true })
  expect(await network.inspect()).toMatchObject({ Name: "odenet", Internal: true, Driver: "bridge" })
  await expect(client.createNetwork({ Name: "odenet" })).rejects.toMatchObject({ statusCode: 409 })
  await network.remove()
  await expect(client.listServices()).rejects.toMatchObject({ statusCode: 503 })
  expect(await client.listPlugins()).toEqual([])
})
