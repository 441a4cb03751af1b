// The working directory of a container is there from its create on, as Docker makes it: seen in its changes and by copies
// out of it, root's, with what lies above it as it was.
import { describe, expect, test } from "bun:test"
import { writeTar } from "../../src/lib/tar/writer.ts"
import { testEngine } from "../support/fixture.ts"
import { runContainer } from "../support/run-container.ts"

describe("the working directory", () => {
  const engine = testEngine()
  const create = (name: string, body: object) =>
    engine.call("POST", `/containers/create?name=${name}`, { Image: "bb", Cmd: ["true"], ...body })
  const changes = async (name: string): Promise<string[]> => {
    const found = await engine.must<{ Kind: number; Path: string }[] | null>("GET", `/containers/${name}/changes`)
    return (found ?? []).map(({ Kind, Path }) => `${"CAD"[Kind]} ${Path}`)
  }

  test("is made at the create, with all that is missing above it, and copies out before a start show it", async () => {
    for (const turn of ["first", "second"]) {
      expect((await create(turn, { WorkingDir: "/srv/app/work" })).status).toBe(201)
      expect(await changes(turn)).toEqual(["A /srv", "A /srv/app", "A /srv/app/work"])
      const stat = await engine.call("HEAD", `/containers/${turn}/archive?path=/srv/app/work`)
      expect(stat.status).toBe(200)
      await engine.must("DELETE", `/containers/${turn}`)
    }
    const seen = await runContainer(engine, { WorkingDir: "/srv/new", User: "1234" }, "pwd; stat -c '%a %u:%g' . ..")
    expect(seen.output).toBe("/srv/new\n755 0:0\n755 0:0")
  })

  test("that is there already changes nothing, and one of a file is refused in Docker's words", async () => {
    expect((await create("there", { WorkingDir: "/etc" })).status).toBe(201)
    expect(await changes("there")).toEqual([])
    await engine.must("DELETE", "/containers/there")
    const refused = await create("file", { WorkingDir: "/etc/passwd" })
    expect([refused.status, refused.json]).toEqual([500, { message: "Cannot mkdir: /etc/passwd is not a directory" }])
    expect((await create("below", { WorkingDir: "/etc/passwd/x" })).status).toBe(500)
    expect((await engine.call("GET", "/containers/file/json")).status).toBe(404)
  })

  test("below a directory of the image with owner, mode and attributes leaves those as they are", async () => {
    const parts: Uint8Array[] = []
    for await (const chunk of writeTar([
      { path: "bin/", type: "directory", mode: 0o755 },
      { path: "own/", type: "directory", mode: 0o1770, uid: 7, gid: 8, mtime: 1_000_000_000 },
      { path: "own/inner/", type: "directory", mode: 0o711, uid: 9, gid: 10, mtime: 1_000_000_000 },
      { path: "link", type: "symlink", linkPath: "own/inner" },
      { path: "out", type: "symlink", linkPath: "../../../../../tmp" },
    ]))
      parts.push(chunk)
    await engine.must("POST", "/images/create?fromSrc=-&repo=owned", new Uint8Array(Buffer.concat(parts)))
    const body = { Image: "owned", WorkingDir: "/link/work" }
    expect((await create("linked", body)).status).toBe(201)
    expect(await changes("linked")).toEqual(["C /own", "C /own/inner", "A /own/inner/work"])
    const stat = async (path: string): Promise<{ mode: number; mtime: string }> => {
      const response = await fetch(`http://dhow/containers/linked/archive?path=${path}`, {
        unix: engine.socket,
        method: "HEAD",
      })
      return JSON.parse(
        Buffer.from(response.headers.get("x-docker-container-path-stat") ?? "", "base64").toString(),
      ) as { mode: number; mtime: string }
    }
    expect((await stat("/own")).mode & 0o777).toBe(0o770)
    expect((await stat("/own")).mtime).toBe("2001-09-09T01:46:40.000Z")
    expect((await stat("/own/inner")).mode & 0o777).toBe(0o711)
    // A link that leads out of the image leads nowhere but into it.
    expect((await create("out", { Image: "owned", WorkingDir: "/out/escape" })).status).toBe(201)
    expect(await changes("out")).toEqual(["A /tmp", "A /tmp/escape"])
    for (const name of ["linked", "out"]) await engine.must("DELETE", `/containers/${name}`)
  })
})
