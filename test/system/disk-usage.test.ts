// What `system df` adds up, as docker's own client and dhow's show it.
import { describe, expect, test } from "bun:test"
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
    for (const flags of [[], ["-v"], ["--format", "json"], ["--format", "{{.Type}} {{.Size}} {{.Reclaimable}}"]])
      expect(await ours.ok("system", "df", ...flags)).toBe(await client.ok("system", "df", ...flags))
    const template = "{{range .Volumes}}{{.Name}} {{.Size}} {{.Links}};{{end}}{{range .Images}}{{.Repository}} {{end}}"
    const args = ["system", "df", "-v", "--format", template]
    expect(await ours.ok(...args)).toBe(await client.ok(...args))
  })
})
