// What `system df` adds up, as docker's own client and dhow's show it.
import { describe, expect, test } from "bun:test"
import { statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { DiskMap } from "../../src/wire/disk.ts"
import type { DiskUsage } from "../../src/wire/system.ts"
import { dhow, docker, dockerProgram } from "../support/docker.ts"
import { testEngine } from "../support/fixture.ts"

describe.skipIf(dockerProgram === undefined)("system df", () => {
  const engine = testEngine()
  const client = docker(engine)
  const usage = (query = "") => engine.must<DiskUsage>("GET", `/v1.51/system/df${query}`)

  test("counts a layer once, what a container wrote, and a volume's files", async () => {
    const empty = await usage()
    expect(empty).toMatchObject({ Containers: [], Volumes: [], BuildCache: [] })
    const [image] = empty.Images!
    expect(empty.LayersSize).toBe(image!.Size)
    expect(image).toMatchObject({ SharedSize: 0, Containers: 0 })

    const tar = Bun.spawnSync(["tar", "-C", "/bin", "-cf", "-", "busybox"]).stdout
    await engine.must("POST", "/images/create?fromSrc=-&repo=one", tar)
    await engine.must("POST", "/images/create?fromSrc=-&repo=two&changes=ENV%20A%3Db", tar)
    const script = "head -c 100000 /dev/zero > /big; head -c 50000 /dev/zero > /data/file"
    await client.ok("run", "--name", "writer", "--net", "none", "-v", "vol:/data", "bb", "sh", "-c", script)
    await client.ok("volume", "create", "unused")
    const full = await usage()
    expect(full.Containers?.[0]?.SizeRw).toBeGreaterThanOrEqual(100_000)
    expect(full.Volumes?.map(({ Name, UsageData }) => [Name, UsageData])).toEqual([
      ["unused", { Size: 0, RefCount: 0 }],
      ["vol", { Size: 50_000, RefCount: 1 }],
    ])
    const size = (name: string) => {
      const { Size, SharedSize } = full.Images!.find(({ RepoTags }) => RepoTags.includes(`${name}:latest`))!
      return { Size, SharedSize }
    }
    const layer = size("one").Size
    expect(size("two")).toEqual({ Size: layer, SharedSize: layer })
    expect(full.LayersSize).toBe(size("bb").Size + layer)
  })

  test("gives only what is asked for, and refuses what it does not know", async () => {
    expect(await usage("?type=volume")).toMatchObject({
      LayersSize: 0,
      Images: null,
      Containers: null,
      BuildCache: null,
    })
    const { status, text } = await engine.call("GET", "/v1.51/system/df?type=plugin")
    expect([status, text]).toEqual([400, expect.stringContaining("unknown object type: plugin")])
  })

  test("dhow shows the same as docker", async () => {
    const ours = dhow(engine)
    for (const flags of [[], ["--format", "json"], ["--format", "{{.Type}} {{.Size}} {{.Reclaimable}}"]])
      expect((await ours.ok("system", "df", ...flags)).replace(/\nLogs .*/, "")).toBe(
        await client.ok("system", "df", ...flags),
      )
    const [all, theirs] = [await ours.ok("system", "df", "-v"), await client.ok("system", "df", "-v")]
    expect(all.slice(0, theirs.length)).toBe(theirs)
    expect(all.slice(theirs.length)).toMatch(
      /^\n\nSpace on the disk: \S+ in \/\S+\n\nKIND +OBJECT +SIZE +NOTE\nimage +bb:latest /,
    )
    const template = "{{range .Volumes}}{{.Name}} {{.Size}} {{.Links}};{{end}}{{range .Images}}{{.Repository}} {{end}}"
    const args = ["system", "df", "-v", "--format", template]
    expect(await ours.ok(...args)).toBe(await client.ok(...args))
  })
})

describe.each(["erofs", "directory"])("the map of the disk, over %s", (driver) => {
  const engine = testEngine(["--storage-driver", driver])

  test("gives every byte to somebody, and adds up to what du says", async () => {
    const tar = Bun.spawnSync(["tar", "-C", "/bin", "-cf", "-", "busybox"]).stdout
    for (const [repo, changes] of [
      ["one", ""],
      ["two", "ENV A=b"],
    ])
      await engine.must("POST", `/images/create?fromSrc=-&repo=${repo}&changes=${encodeURIComponent(changes!)}`, tar)
    const script = "head -c 3000000 /dev/zero > /big; head -c 2000000 /dev/zero > /data/file; seq 20000"
    await engine.must("POST", "/containers/create?name=writer", {
      Image: "bb",
      Cmd: ["sh", "-c", script],
      HostConfig: { NetworkMode: "none", Binds: ["vol:/data"] },
    })
    await engine.must("POST", "/containers/writer/start")
    await engine.must("POST", "/containers/writer/wait")
    writeFileSync(join(engine.dataRoot, "content/ingest", `partial-${"a".repeat(64)}`), Buffer.alloc(1_500_000))
    writeFileSync(join(engine.dataRoot, "content/sha256", "b".repeat(64)), Buffer.alloc(700_000))
    writeFileSync(join(engine.dataRoot, "something"), Buffer.alloc(300_000))

    const map = await engine.must<DiskMap>("GET", "/dhow/disk")
    const said = Number(
      Bun.spawnSync(["du", "-sx", "--block-size=1", engine.dataRoot]).stdout.toString().split("\t")[0],
    )
    expect(Math.abs(map.Total - said) / said).toBeLessThan(0.01)
    const near = (bytes: number, wanted: number): void => {
      expect(bytes).toBeGreaterThanOrEqual(wanted)
      expect(bytes).toBeLessThan(wanted + 128 * 1024)
    }
    const [writer] = map.Containers
    near(writer!.Written, 3_000_000)
    const logs = Bun.spawnSync(["sh", "-c", `du -cb ${engine.dataRoot}/containers/*/container.log* | tail -1`]).stdout
    near(writer!.Logs, Number.parseInt(logs.toString(), 10))
    near(map.Volumes[0]!.Size, 2_000_000)
    near(map.PartialDownloads, 1_500_000)
    near(map.Strays, 700_000)
    near(map.Unknown, 300_000)
    // one and two are one layer with two names for it; bb shares nothing.
    const busybox = statSync("/bin/busybox").size
    const copies = driver === "erofs" ? 1 : 2
    near(map.SharedByImages, busybox * copies)
    for (const name of ["one:latest", "two:latest"])
      expect(map.Images.find(({ Names }) => Names.includes(name))!.Shared).toBe(map.SharedByImages)
    near(map.Images.find(({ Names }) => Names.includes("bb:latest"))!.Unique, busybox * copies)
    expect(map.Garbage).toBe(0)
  })
})
