// Parameters of Docker's routes that no other test uses: each one changes the answer as it does with Docker.
import { beforeAll, describe, expect, test } from "bun:test"
import { busyboxTar } from "../support/engine.ts"
import { testEngine } from "../support/fixture.ts"

const engine = testEngine()
const json = <T>(path: string): Promise<T> => engine.must<T>("GET", path)
const filters = (of: object): string => `filters=${encodeURIComponent(JSON.stringify(of))}`
const message = async (method: string, path: string, body?: unknown): Promise<string> => {
  const answer = await engine.call(method, path, body)
  return `${answer.status} ${(answer.json as { message?: string } | undefined)?.message}`
}

beforeAll(async () => {
  for (const name of ["one", "two", "three"])
    await engine.must("POST", `/containers/create?name=${name}`, { Image: "bb", Cmd: ["sh", "-c", "sleep 600"] })
  await engine.must("POST", "/containers/three/start")
})

describe("containers", () => {
  type Listed = { Names: string[]; SizeRw?: number }
  const names = async (query: string): Promise<string[]> =>
    (await json<Listed[]>(`/containers/json?${query}`)).map(({ Names }) => Names[0] ?? "")

  test("are listed all or running, the newest first, up to a limit, with sizes", async () => {
    expect(await names("")).toEqual(["/three"])
    expect(await names("all=1")).toEqual(["/three", "/two", "/one"])
    expect(await names("limit=2")).toEqual(["/three", "/two"])
    expect(await names("all=1&before=two")).toEqual(["/one"])
    expect(await names(`all=1&${filters({ name: ["t"] })}`)).toEqual(["/three", "/two"])
    const [sized] = await json<Listed[]>("/containers/json?size=1")
    expect(sized?.SizeRw).toBeNumber()
    expect((await json<Listed[]>("/containers/json"))[0]).not.toHaveProperty("SizeRw")
    expect(await message("GET", "/containers/json?limit=a")).toBe('400 strconv.Atoi: parsing "a": invalid syntax')
  })

  test("are inspected with sizes where that is asked for", async () => {
    expect(await json<object>("/containers/one/json?size=1")).toHaveProperty("SizeRootFs")
    expect(await json<object>("/containers/one/json")).not.toHaveProperty("SizeRootFs")
  })

  test("are stopped and restarted with a time and a signal", async () => {
    await engine.must("POST", "/containers/three/restart?t=0&signal=KILL")
    await engine.must("POST", "/containers/three/stop?t=0")
    const { State } = await json<{ State: { Status: string; ExitCode: number } }>("/containers/three/json")
    expect(State).toMatchObject({ Status: "exited", ExitCode: 137 })
    expect((await engine.call("POST", "/containers/three/stop?t=a")).status).toBe(400)
    await engine.must("POST", "/containers/three/start?detachKeys=ctrl-a")
    expect(await message("POST", "/containers/three/restart?signal=NOPE")).toStartWith("400 ")
    expect(await message("POST", "/containers/two/start?checkpoint=x")).toBe(
      "400 checkpoint is only supported in experimental mode",
    )
  })

  test("have an archive that is put with the rules that are asked for", async () => {
    const tar = new Bun.Archive({ etc: "a file where a directory is" })
    const bytes = new Uint8Array(await tar.bytes())
    expect(await message("PUT", "/containers/one/archive?path=/&noOverwriteDirNonDir=1", bytes)).toMatch(
      /^400 .*cannot overwrite directory/,
    )
    expect((await engine.call("GET", "/containers/one/archive?path=/nowhere")).status).toBe(404)
    expect(await message("GET", "/containers/one/archive")).toMatch(/^400 bad parameter: path ?cannot be empty/)
  })

  test("have a name of their own that is no link", async () => {
    expect(await message("DELETE", "/containers/one?link=1")).toMatch(
      /^409 Conflict, cannot remove the default link name/,
    )
  })

  test("are pruned by label and age", async () => {
    await engine.must("POST", "/containers/create?name=old", { Image: "bb", Cmd: ["true"], Labels: { go: "1" } })
    const kept = await engine.must<{ ContainersDeleted: string[] | null }>(
      "POST",
      `/containers/prune?${filters({ until: ["1h"] })}`,
    )
    expect(kept.ContainersDeleted).toBeNull()
    const gone = await engine.must<{ ContainersDeleted: string[] }>(
      "POST",
      `/containers/prune?${filters({ label: ["go=1"] })}`,
    )
    expect(gone.ContainersDeleted).toHaveLength(1)
    expect(await message("POST", `/containers/prune?${filters({ nope: ["1"] })}`)).toMatch(/^400 invalid filter 'nope'/)
  })
})

describe("images", () => {
  type Listed = { Id: string; RepoTags: string[]; SharedSize: number; Manifests?: unknown[]; Size: number }

  test("are listed with shared sizes, manifests and filters where that is asked for", async () => {
    const [plain] = await json<Listed[]>("/images/json")
    expect(plain).toMatchObject({ SharedSize: -1, RepoTags: ["bb:latest"] })
    const [more] = await json<Listed[]>("/images/json?all=1&digests=1&shared-size=1&manifests=1")
    expect(more?.SharedSize).toBeGreaterThanOrEqual(0)
    expect(more?.Manifests).toHaveLength(1)
    expect(await json<Listed[]>(`/images/json?${filters({ reference: ["other*"] })}`)).toEqual([])
    expect(await json<Listed[]>("/v1.40/images/json?filter=other*")).toEqual([])
    expect(await message("GET", `/images/json?${filters({ nope: ["1"] })}`)).toMatch(/^400 invalid filter 'nope'/)
  })

  test("are inspected, saved and loaded by platform", async () => {
    const amd = encodeURIComponent(JSON.stringify({ os: "linux", architecture: "amd64" }))
    const wrong = encodeURIComponent(JSON.stringify({ os: "linux", architecture: "s390x" }))
    const { Architecture } = await json<{ Architecture: string }>("/images/bb/json")
    const own = encodeURIComponent(JSON.stringify({ os: "linux", architecture: Architecture }))
    expect(await json<object>(`/images/bb/json?platform=${own}`)).toMatchObject({ Architecture })
    expect(await json<object>("/images/bb/json?manifests=1")).toHaveProperty("Manifests")
    expect((await engine.call("GET", `/images/bb/json?platform=${wrong}`)).status).toBe(404)
    expect((await engine.call("GET", `/images/bb/history?platform=${wrong}`)).status).toBe(404)
    expect(await message("GET", `/images/bb/json?platform=${own}&manifests=1`)).toBe(
      "400 conflicting options: manifests and platform options cannot both be set",
    )
    for (const path of ["/images/bb/get", "/images/get", "/images/load"])
      expect(
        await message(path.endsWith("load") ? "POST" : "GET", `${path}?names=bb&platform=${amd}&platform=${wrong}`),
      ).toBe("400 multiple platform parameters not supported")
    expect(await message("GET", "/images/bb/json?platform=%7B")).toStartWith("400 failed to parse platform")
  })

  test("are made from a tarball with name, tag, message, changes and platform", async () => {
    const query = `fromSrc=-&repo=made&tag=v1&message=why&platform=linux/arm64&changes=${encodeURIComponent("ENV A=b")}`
    await engine.must("POST", `/images/create?${query}`, busyboxTar())
    const made = await json<Record<string, unknown>>("/images/made:v1/json")
    expect(made).toMatchObject({ Architecture: "arm64", Config: { Env: ["A=b"] }, Comment: "why" })
    await engine.must("POST", "/images/made:v1/tag?repo=other&tag=v2")
    const kept = await engine.must<{ Untagged?: string }[]>("DELETE", "/images/made:v1?noprune=1")
    expect(kept).toEqual([{ Untagged: "made:v1" }])
    await engine.must("POST", "/images/other:v2/tag?repo=again")
    expect((await engine.call("DELETE", `/images/${made["Id"]}`)).status).toBe(409)
    await engine.must("DELETE", `/images/${made["Id"]}?force=1`)
    expect((await engine.call("GET", "/images/other:v2/json")).status).toBe(404)
    expect(await message("POST", "/images/create?fromSrc=http://127.0.0.1:1/x.tar")).toBe(
      '503 Get "http://127.0.0.1:1/x.tar": connection refused',
    )
  })
})

describe("volumes", () => {
  type Volume = { Name: string; Driver: string; Labels: Record<string, string> | null }

  test("take a driver and its options, and are removed by force where they are not", async () => {
    const made = await engine.must<Volume>("POST", "/volumes/create", {
      Name: "ram",
      Driver: "local",
      Labels: { a: "b" },
    })
    expect(made).toMatchObject({ Driver: "local", Labels: { a: "b" } })
    expect(await message("POST", "/volumes/create", { Name: "other", DriverOpts: { type: "tmpfs" } })).toBe(
      '400 create other: missing required option: "device"',
    )
    await engine.must("DELETE", "/volumes/ram")
    expect((await engine.call("DELETE", "/volumes/ram")).status).toBe(404)
    expect((await engine.call("DELETE", "/volumes/ram?force=1")).status).toBe(204)
    expect((await engine.call("POST", "/volumes/create", { Driver: "nope" })).status).toBe(404)
  })
})

describe("networks", () => {
  test("are listed by filters, and what is none of Docker's is refused", async () => {
    const found = await json<{ Name: string }[]>(`/networks?${filters({ driver: ["bridge"] })}`)
    expect(found.map(({ Name }) => Name)).toEqual(["bridge"])
    expect(await message("GET", `/networks?${filters({ nope: ["1"] })}`)).toMatch(/^400 invalid filter 'nope'/)
    expect(await json<object>("/networks/bridge?verbose=true&scope=local")).toMatchObject({ Name: "bridge" })
    expect((await engine.call("GET", "/networks/bridge?scope=swarm")).status).toBe(404)
    expect(await message("GET", "/networks/bridge?verbose=maybe")).toBe(
      '400 invalid value for verbose: maybe: strconv.ParseBool: parsing "maybe": invalid syntax',
    )
    expect(await engine.must<object>("POST", `/networks/prune?${filters({ until: ["1h"] })}`)).toEqual({
      NetworksDeleted: null,
    })
    expect(await message("POST", `/networks/prune?${filters({ nope: ["1"] })}`)).toMatch(/^400 invalid filter 'nope'/)
  })
})

describe("the system", () => {
  test("tells its use of the disk by type, and the virtual size to older clients", async () => {
    const whole = await json<Record<string, unknown>>("/system/df")
    expect(Object.keys(whole)).toEqual(
      expect.arrayContaining(["LayersSize", "Images", "Containers", "Volumes", "BuildCache"]),
    )
    const images = await json<Record<string, { VirtualSize?: number; Size: number }[]>>("/v1.43/system/df?type=image")
    expect(images["Images"]?.[0]?.VirtualSize).toBe(images["Images"]![0]!.Size)
    expect(await json<Record<string, unknown>>("/v1.41/system/df")).toHaveProperty("BuilderSize")
    expect(await message("GET", "/system/df?type=nope")).toBe("400 unknown object type: nope")
  })

  test("tells of itself what each version of the API has", async () => {
    type Info = Record<string, unknown> & { Runtimes: Record<string, object>; SecurityOptions: string[] }
    const [now, v24, v43, v49] = await Promise.all(
      ["", "/v1.24", "/v1.43", "/v1.49"].map((v) => json<Info>(`${v}/info`)),
    )
    expect(now?.SecurityOptions.every((option) => option.startsWith("name="))).toBe(true)
    expect(v24?.SecurityOptions.some((option) => option.includes("="))).toBe(false)
    expect(Object.values(v43?.Runtimes ?? {})[0]).not.toHaveProperty("status")
    expect(v49).toMatchObject({ BridgeNfIptables: false, BridgeNfIp6tables: false })
    expect(now).not.toHaveProperty("BridgeNfIptables")
  })
})

describe("what came after 1.51", () => {
  test("use of the disk is counted, and listed for whoever asks for it", async () => {
    type Counts = Record<string, { TotalCount: number; ActiveCount: number; TotalSize: number; Items?: unknown[] }>
    const plain = await json<Counts>("/v1.52/system/df")
    expect(Object.keys(plain)).toEqual(
      expect.arrayContaining(["Images", "ImageUsage", "ContainerUsage", "VolumeUsage"]),
    )
    expect(plain["ContainerUsage"]).toMatchObject({ TotalCount: 3, ActiveCount: 1 })
    expect(plain["ContainerUsage"]).not.toHaveProperty("Items")
    const { ImageUsage, ...others } = await json<Counts>("/v1.52/system/df?verbose=1&type=image")
    expect(others).toEqual({})
    expect(ImageUsage).toMatchObject({ TotalCount: 1, ActiveCount: 1 })
    expect(ImageUsage?.Items).toHaveLength(1)
    expect(await json<object>("/system/df")).not.toHaveProperty("ImageUsage")
  })

  test("what is deprecated is left out for newer clients, and stays for older ones and for those that name no version", async () => {
    type Shown = { NetworkSettings: object; Config: object; Author?: string }
    for (const prefix of ["", "/v1.51"]) {
      const { NetworkSettings, Config } = await json<Shown>(`${prefix}/containers/three/json`)
      expect(NetworkSettings).toHaveProperty("IPAddress")
      expect(Config).toHaveProperty("OnBuild")
      expect(await json<Shown>(`${prefix}/images/bb/json`)).toMatchObject({
        Author: "",
        Config: { Cmd: null, User: "" },
      })
    }
    const { NetworkSettings, Config } = await json<Shown>("/v1.52/containers/three/json")
    expect(Object.keys(NetworkSettings).sort()).toEqual(["Networks", "Ports", "SandboxID", "SandboxKey"])
    expect(Config).not.toHaveProperty("OnBuild")
    const image = await json<Shown>("/v1.52/images/bb/json")
    expect(image).not.toHaveProperty("Author")
    expect(image.Config).not.toHaveProperty("User")
    expect((await json<Shown>("/v1.49/images/bb/json")).Config).toMatchObject({ Hostname: "", Tty: false })
  })

  test("a MAC address belongs to an endpoint, a port's bindings are not empty, readings say of which system", async () => {
    const made = { Image: "bb", Cmd: ["true"] }
    expect(await message("POST", "/v1.52/containers/create", { ...made, MacAddress: "02:42:ac:11:00:88" })).toStartWith(
      "400 container-wide MAC address no longer supported",
    )
    const { Id, Warnings } = await engine.must<{ Id: string; Warnings: string[] }>("POST", "/v1.52/containers/create", {
      ...made,
      HostConfig: { PortBindings: { "80/tcp": [] } },
    })
    expect(Warnings.join()).toContain("have an empty list of port-bindings: 80/tcp")
    await engine.must("DELETE", `/containers/${Id}`)
    expect(await json<object>("/v1.52/containers/three/stats?stream=0&one-shot=1")).toMatchObject({ os_type: "linux" })
  })

  test("events come in the form that is asked for", async () => {
    const ask = async (path: string, accept?: string): Promise<[string | null, string]> => {
      const response = await fetch(`http://dhow${path}/events?since=1&until=${Date.now() / 1000}`, {
        unix: engine.socket,
        headers: accept === undefined ? {} : { accept },
      })
      return [response.headers.get("content-type"), (await response.text()).split("\n")[0] ?? ""]
    }
    const [old, first] = await ask("/v1.51")
    expect(old).toBe("application/json")
    expect(first).toContain('"status":')
    const [now, next] = await ask("/v1.52")
    expect(now).toBe("application/jsonl")
    expect(next).not.toContain('"status":')
    expect((await ask("/v1.52", "text/html, application/x-ndjson;q=0.5"))[0]).toBe("application/x-ndjson")
    const [sequence, record] = await ask("/v1.52", "application/json-seq")
    expect(sequence).toBe("application/json-seq")
    expect(record).toStartWith("\x1e{")
  })
})
