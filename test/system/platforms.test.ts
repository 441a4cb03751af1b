// Platforms as a user meets them: names with @@, lists that show platforms, programs that cannot run and why, and, where
// an emulator is installed, a program for another processor that runs. What is registered for that is taken back.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { ContainerInspect, ContainerSummary } from "../../src/wire/container.ts"
import type { ImageSummary } from "../../src/wire/image.ts"
import type { PlatformStatus } from "../../src/wire/platform.ts"
import { dhow, docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"
import { armProgram, foreignHead } from "../support/programs.ts"

const engine = testEngine()
const own = dhow(engine)
const dockers = docker(engine)
const host = process.arch === "x64" ? "amd64" : process.arch
const ARM = "linux/arm64"

/** A root with files of these contents; "+" after a name makes it executable. */
function rootWith(name: string, files: Readonly<Record<string, string | Uint8Array>>): string {
  const directory = join(engine.root, name)
  mkdirSync(directory, { recursive: true })
  for (const [path, content] of Object.entries(files))
    writeFileSync(join(directory, path.replace("+", "")), content, { mode: path.endsWith("+") ? 0o755 : 0o644 })
  const tar = join(engine.root, `${name}.tar`)
  Bun.spawnSync(["tar", "-C", directory, "-cf", tar, "."])
  return tar
}

async function importImage(name: string, platform: string, files: Readonly<Record<string, string | Uint8Array>>) {
  await own.ok("import", "--platform", platform, rootWith(name.replace(/\W/g, "-"), files), name)
}

/** One name with an image of this host and one for ARM. */
async function makeMulti(name: string): Promise<void> {
  await importImage(`${name}-host`, `linux/${host}`, { "which+": "host" })
  await importImage(`${name}-arm`, ARM, { "forty-two+": armProgram("exit"), "wait+": armProgram("wait") })
  // The list of an earlier one would have to be amended.
  await own.run(["manifest", "rm", name])
  await own.ok("manifest", "create", name, `${name}-host`, `${name}-arm`)
  await own.ok("rmi", `${name}-host`, `${name}-arm`)
}

const statuses = () => engine.must<PlatformStatus[]>("GET", "/dhow/platforms")
const stateOf = async (name: string) => (await statuses()).find(({ Platform }) => Platform === name)?.State

describe("a name with several platforms", () => {
  beforeAll(() => makeMulti("multi:1"), 30_000)

  test("is listed with each of them by dhow, and as one image by docker and in scripts", async () => {
    const table = (await own.ok("images", "multi")).split("\n")
    expect(table[0]).toMatch(/^REPOSITORY +TAG +IMAGE ID +PLATFORM +CREATED +SIZE$/)
    expect(table.slice(1).map((line) => line.split(/ {2,}/)[3])).toEqual([`linux/${host}`, ARM])
    expect((await own.ok("images", "-q", "multi")).split("\n")).toHaveLength(1)
    expect(await own.ok("images", "--format", "{{.Repository}}:{{.Tag}}", "multi")).toBe("multi:1")
    expect(await own.ok("images", "--format", "{{.Tag}} {{.Platform}}", "multi")).toBe(`1 linux/${host}\n1 ${ARM}`)
    expect(JSON.parse(await own.ok("images", "--format", "json", "multi"))).toMatchObject({
      Platform: `linux/${host},${ARM}`,
    })
    expect(await own.ok("images", "--format", "{{.Platform}}", `multi@@${ARM}`)).toBe(ARM)
    expect(await own.ok("images", "-q", "--filter", "platform=linux/s390x")).toBe("")
    const [row] = await engine.must<ImageSummary[]>(
      "GET",
      '/v1.47/images/json?manifests=1&filters={"reference":["multi"]}',
    )
    expect(row!.Manifests!.map(({ ImageData }) => ImageData!.Platform.architecture)).toEqual([host, "arm64"])
    const old = await engine.must<ImageSummary[]>("GET", "/v1.46/images/json?manifests=1")
    expect(old.every(({ Manifests }) => Manifests === undefined)).toBe(true)
  })

  test.skipIf(dockerProgram === undefined)("is a tree for docker", async () => {
    const tree = (await dockers.run(["image", "ls", "--tree"])).stdout
    expect(tree).toContain("multi:1")
    expect(tree).toContain(`├─ linux/${host}`)
    expect(tree).toContain(`└─ ${ARM}`)
    expect((await dockers.ok("images", "-q", "multi")).split("\n")).toHaveLength(1)
    expect(await dockers.ok("image", "inspect", "--platform", ARM, "-f", "{{.Architecture}}", "multi:1")).toBe("arm64")
  })

  test("is inspected, tagged, saved and removed one by one", async () => {
    const architecture = (...words: string[]) => own.ok("image", "inspect", "-f", "{{.Architecture}}", ...words)
    expect(await architecture("multi:1")).toBe(host)
    expect(await architecture(`multi:1@@${ARM}`)).toBe("arm64")
    expect(await architecture("--all-platforms", "multi:1")).toBe(`${host}\narm64`)
    expect(await own.ok("inspect", "-f", "{{.Architecture}}", "multi:1@@aarch64")).toBe("arm64")
    const { status, stderr } = await own.run(["image", "inspect", "multi:1@@linux/arm/v6"])
    expect(status).toBe(1)
    expect(stderr).toContain(`its platforms (linux/${host}, ${ARM}) do not match the specified platform (linux/arm/v6)`)

    await own.ok("tag", `multi:1@@${ARM}`, "part:1")
    expect(await own.ok("images", "--format", "{{.Platform}}", "part")).toBe(ARM)
    const file = join(engine.root, "part.tar")
    await own.ok("save", "-o", file, `multi:1@@${ARM}`)
    await own.ok("rmi", `multi:1@@${ARM}`, "part:1")
    expect(await own.ok("images", "--format", "{{.Platform}}", "multi")).toBe(`linux/${host}`)
    expect(await own.ok("load", "-i", file)).toContain("multi:1")
    expect(await own.ok("images", "--format", "{{.Platform}}", "multi")).toBe(ARM)
    await own.ok("rmi", "multi:1")
    await makeMulti("multi:1")
  })

  test("is refused where two platforms are named at once, or half of one", async () => {
    for (const [words, text] of [
      [["run", "--platform", "linux/s390x", `multi:1@@${ARM}`], "conflicting platforms"],
      [["run", "multi:1@@"], "expected NAME@@PLATFORM"],
      [["pull", "multi:1@@linux/arm64/v8/x"], "cannot parse platform specifier"],
      [["save", "-o", "/dev/null", `multi:1@@${ARM}`, "bb"], "conflicting platforms"],
      [["image", "inspect", "--all-platforms", "--platform", ARM, "multi:1"], "conflicting options"],
    ] as const) {
      const { status, stderr } = await own.run(words)
      expect(stderr).toContain(text)
      expect(status).not.toBe(0)
    }
    const both = await engine.call(
      "GET",
      '/v1.51/images/multi:1/json?manifests=1&platform={"os":"linux","architecture":"arm64"}',
    )
    expect(both.status).toBe(400)
    expect(both.text).toContain("conflicting options: manifests and platform options cannot both be set")
  })

  test("never gives another platform in silence", async () => {
    await own.ok("rmi", `multi:1@@linux/${host}`)
    const missing = await own.run(["run", "--pull", "never", "--rm", "multi:1", "/which"])
    expect(missing.status).toBe(125)
    expect(missing.stderr).toContain(`No such image: multi:1 for linux/${host}`)
    expect(missing.stderr).toContain(`It is here for ${ARM}`)
    // An image that is for no other platform runs, and Docker's words say that it is foreign.
    await importImage("foreign:1", ARM, { "program+": armProgram("exit") })
    const created = await own.run(["create", "foreign:1", "/program"])
    expect(created.stderr).toContain(
      `The requested image's platform (${ARM}) does not match the detected host platform (linux/${host}) and no specific platform was requested`,
    )
    const quiet = await own.run(["create", `foreign:1@@${ARM}`, "/program"])
    expect(quiet.stderr).toBe("")
    await own.ok("rm", created.stdout.trim(), quiet.stdout.trim())
    await own.ok("rmi", "multi:1", "foreign:1")
    await makeMulti("multi:1")
  })

  test.skipIf(host !== "amd64")("gives what the platform runs as well only to whoever asks", async () => {
    await importImage("small:1", "linux/386", { x: "" })
    const create = (...words: string[]) => own.run(["create", "--pull", "never", ...words, "small:1", "/x"])
    expect((await create("--platform", "linux/amd64")).stderr).toContain(
      "its platform (linux/386) does not match the specified platform (linux/amd64)",
    )
    const { status, stdout } = await create("--platform", "linux/amd64", "--platform-compat")
    expect(status).toBe(0)
    expect(await own.ok("ps", "-a", "--format", "{{.Platform}}", "--filter", `id=${stdout.trim()}`)).toBe("linux/386")
    // No emulation: the processor runs it.
    expect(await own.ok("ps", "-a")).not.toContain("(emulated)")
    expect(await own.ok("ps", "-a")).toContain("linux/386")
    await own.ok("rm", stdout.trim())
    await own.ok("rmi", "small:1")
  })
})

describe("a program that cannot run", () => {
  const cases: readonly (readonly [file: string, content: string | Uint8Array, status: number, text: string])[] = [
    ["crlf+", "#!/bin/sh\r\necho\r\n", 127, "its first line ends in a carriage return"],
    ["lost+", "#!/usr/bin/python3\n", 127, 'its interpreter "/usr/bin/python3" is not in the image'],
    ["bare+", "echo hi\n", 126, "neither a program of this system nor a script"],
    ["empty+", "", 126, "exec format error"],
    ["plain", "#!/bin/sh\n", 126, "permission denied"],
    ["alien+", foreignHead(94), 126, "exec format error: it was built for machine 94"],
  ]
  beforeAll(async () => {
    await importImage("bad:1", `linux/${host}`, Object.fromEntries(cases.map(([file, content]) => [file, content])))
  }, 30_000)

  test.each(cases)("/%s is named with its reason, by run and by exec", async (file, _content, status, text) => {
    const path = `/${file.replace("+", "")}`
    for (const words of [[], ["--init=false"], ["-v", "/tmp:/mounted"]]) {
      const run = await own.run(["run", "--rm", ...words, "bad:1", path])
      expect(run.stderr).toContain(text)
      expect(run.stderr).toStartWith("dhow: OCI runtime create failed: unable to start container process: exec")
      expect(run.status).toBe(status)
    }
    if (dockerProgram !== undefined) {
      const run = await dockers.run(["run", "--rm", "bad:1", path])
      expect(run.stderr).toContain(text)
      // docker's client tells 127 from 126 by words of the text, and knows none for a wrong format.
      expect(run.status).toBe(/permission denied/.test(text) ? 126 : status === 127 ? 127 : 125)
    }
    const directory = join(engine.root, "bad-1")
    await own.ok("run", "-d", "--name", "host-of-exec", "-v", `${directory}:/bad`, "bb", "sleep", "60")
    const exec = await own.run(["exec", "host-of-exec", `/bad${path}`])
    await own.ok("rm", "-f", "host-of-exec")
    expect(exec.status).toBe(status)
    expect(exec.stdout + exec.stderr).toContain(
      "OCI runtime exec failed: exec failed: unable to start container process",
    )
  })

  test("in a tmpfs that is mounted noexec is told so", async () => {
    await importImage("tools:1", `linux/${host}`, { "busybox+": readFileSync("/bin/busybox") })
    await own.ok("run", "-d", "--name", "noexec", "--tmpfs", "/t", "tools:1", "/busybox", "sleep", "60")
    await own.ok("exec", "noexec", "/busybox", "cp", "/busybox", "/t/program")
    const run = await own.run(["exec", "noexec", "/t/program"])
    await own.ok("rm", "-f", "noexec")
    expect(run.stdout + run.stderr).toContain('exec: "/t/program": permission denied: "/t" is mounted noexec')
    expect(run.stdout + run.stderr).toContain("Mount it with exec: --tmpfs /t:exec")
    expect(run.status).toBe(126)
  })

  test("for a processor that nothing emulates says which, whose, and what to do", async () => {
    const unknown = (await statuses()).find(({ State }) => State === "installed" || State === "missing")
    if (unknown === undefined) return console.warn("skipped: everything is emulated on this machine")
    const architecture = unknown.Platform.split("/")[1]!
    const machines: Readonly<Record<string, number>> = { arm64: 183, arm: 40, riscv64: 243, loong64: 258, amd64: 62 }
    const machine = machines[architecture]
    if (machine === undefined) return console.warn(`skipped: no program for ${architecture} at hand`)
    await importImage("other:1", unknown.Platform, { "program+": foreignHead(machine, architecture !== "arm") })
    const run = await own.run(["run", "--rm", `other:1@@${unknown.Platform}`, "/program"])
    expect(run.status).toBe(126)
    expect(run.stderr).toContain(
      `exec format error: the image is for ${unknown.Platform}, this host is linux/${host}, and no emulation of ${architecture} is registered`,
    )
    expect(run.stderr).toContain(`dhow platform install linux/${architecture}`)
    expect(run.stderr.includes("apt-get install qemu-user-static")).toBe(unknown.State === "missing")
    await own.ok("rmi", "other:1")
  })
})

describe("emulation", () => {
  const wasMounted = existsSync("/proc/sys/fs/binfmt_misc/register")
  let before: string | undefined

  beforeAll(async () => {
    before = await stateOf(ARM)
    if (before === "missing") console.warn("skipped: no emulator for linux/arm64 here (Debian: qemu-user-static)")
  })
  afterAll(async () => {
    if (before === "installed" && (await stateOf(ARM)) === "emulated") await own.ok("platform", "rm", ARM)
    if (!wasMounted && existsSync("/proc/sys/fs/binfmt_misc/register"))
      Bun.spawnSync(["umount", "/proc/sys/fs/binfmt_misc"])
  })

  test("is registered on request, and runs a program of another processor in a container", async () => {
    if (before !== "installed" && before !== "emulated") return
    expect(await own.ok("platform", "install", ARM)).toMatch(/linux\/arm64 +emulated/)
    // Twice is once.
    expect(await own.ok("platform", "install", ARM)).toMatch(/linux\/arm64 +emulated/)
    expect((await own.ok("platform", "ls", "-q")).split("\n")).toContain(ARM)
    await makeMulti("run:1")
    expect((await own.run(["run", "--rm", `run:1@@${ARM}`, "/forty-two"])).status).toBe(42)
    expect((await own.run(["run", "--rm", "-v", "/tmp:/x", "--platform", ARM, "run:1", "/forty-two"])).status).toBe(42)
    await own.ok("run", "-d", "--name", "emulated", "--init=false", `run:1@@${ARM}`, "/wait")
    const [row] = await engine.must<ContainerSummary[]>("GET", "/containers/json")
    expect(row).toMatchObject({ Emulated: true, ImageManifestDescriptor: { platform: { architecture: "arm64" } } })
    const [oldest] = await engine.must<ContainerSummary[]>("GET", "/v1.47/containers/json")
    expect(oldest!.ImageManifestDescriptor).toBeUndefined()
    expect(await engine.must<ContainerInspect>("GET", "/containers/emulated/json")).toMatchObject({
      Emulated: true,
      Platform: "linux",
    })
    expect(await own.ok("ps")).toMatch(/PLATFORM .*\n.*linux\/arm64 \(emulated\)/)
    expect((await own.run(["exec", "emulated", "/forty-two"])).status).toBe(42)
    if (dockerProgram !== undefined)
      expect(await dockers.ok("ps", "--format", "{{.Names}} {{.Platform}}")).toBe("emulated linux/arm64")
    await engine.kill()
    await engine.start()
    expect((await own.run(["exec", "emulated", "/forty-two"])).status).toBe(42)
    await own.ok("rm", "-f", "emulated")
    if (before === "installed") {
      await own.ok("platform", "rm", ARM)
      const run = await own.run(["run", "--rm", `run:1@@${ARM}`, "/forty-two"])
      expect(run.status).toBe(126)
      expect(run.stderr).toContain("To have it emulated: dhow platform install linux/arm64")
      expect((await own.run(["platform", "rm", ARM])).stderr).toContain("No emulation is registered for linux/arm64")
    }
  })

  test("is refused for what needs none, and for what nothing is known of", async () => {
    expect((await own.run(["platform", "install", `linux/${host}`])).stderr).toContain("needs no emulation")
    expect((await own.run(["platform", "install", "linux/vax"])).stderr).toContain(
      "Nothing is known that emulates linux/vax",
    )
    expect((await own.run(["platform", "install", "windows/arm64"])).stderr).toContain("Nothing is known that emulates")
    expect((await engine.call("POST", "/dhow/platforms/remove")).status).toBe(400)
  })
})
