import { describe, expect, test } from "bun:test"
import type { Containers } from "../../engine/contract.ts"
import { answer, engineWith } from "./test-call.ts"

type Created = Parameters<Containers["create"]>[0]

async function create(
  body: unknown,
  path = "POST /containers/create?name=web",
): Promise<{ status: number; body: unknown; got: Created | undefined }> {
  let got: Created | undefined
  const engine = engineWith({
    containers: {
      async create(options) {
        got = options
        return { Id: "abc", Warnings: [] }
      },
    },
  })
  const result = await answer(engine, path, { body: typeof body === "string" ? body : JSON.stringify(body) })
  return { ...result, got }
}

describe("POST /containers/create", () => {
  test("passes on name, platform, configuration and networks", async () => {
    const { status, body, got } = await create(
      {
        Image: "busybox",
        Cmd: ["true"],
        HostConfig: { Memory: 5 },
        NetworkingConfig: { EndpointsConfig: { a: null } },
      },
      "POST /v1.41/containers/create?name=web&platform=linux/arm64",
    )
    expect({ status, body }).toEqual({ status: 201, body: { Id: "abc", Warnings: [] } })
    expect(got).toEqual({
      name: "web",
      platform: { os: "linux", architecture: "arm64" },
      config: { Image: "busybox", Cmd: ["true"] },
      hostConfig: { Memory: 5, NetworkMode: "bridge" },
      networkingConfig: { EndpointsConfig: { a: {} } },
      readOnlyNonRecursive: true,
    })
  })

  test("takes null for absent, names in any case, a word for a list, and ignores what it does not know", async () => {
    const { got } = await create({
      image: "a",
      Cmd: "ls",
      Env: null,
      Unknown: [1],
      Volumes: { "/x": null },
      HostConfig: null,
    })
    expect(got?.config).toEqual({ Image: "a", Cmd: ["ls"], Volumes: { "/x": {} } })
  })

  test("keeps names that objects inherit, and takes none from them", async () => {
    const { got } = await create(
      '{"Image":"a","Labels":{"constructor":"x","__proto__":"y"},"__proto__":{"User":"root"}}',
    )
    expect(Object.entries(got?.config.Labels ?? {})).toEqual([
      ["constructor", "x"],
      ["__proto__", "y"],
    ])
    expect(got?.config.User).toBeUndefined()
  })

  test("takes null in a list for an element without a value", async () => {
    const { got } = await create({ Image: "a", Env: [null, "A=b"], HostConfig: { ConsoleSize: [5], Ulimits: [null] } })
    expect(got?.config.Env).toEqual(["", "A=b"])
    expect(got?.hostConfig).toMatchObject({ ConsoleSize: [5, 0], Ulimits: [{ Name: "", Soft: 0, Hard: 0 }] })
  })

  test("keeps an empty entry point, which differs from none", async () => {
    expect((await create({ Image: "a", Entrypoint: [] })).got?.config.Entrypoint).toEqual([])
  })

  test.each([
    ["", "invalid JSON: got EOF while reading request body"],
    ["{}", "config cannot be empty in order to create a container"],
    [
      '{"Image":5}',
      "invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.Config.Image of type string",
    ],
    [
      '{"Image":"a","HostConfig":{"Memory":"1g"}}',
      "invalid JSON: json: cannot unmarshal string into Go struct field HostConfig.HostConfig.Resources.Memory of type int64",
    ],
    [
      '{"Image":"a","HostConfig":{"Memory":1.5}}',
      "invalid JSON: json: cannot unmarshal number 1.5 into Go struct field HostConfig.HostConfig.Resources.Memory of type int64",
    ],
    [
      '{"Image":"a","HostConfig":{"RestartPolicy":{"Name":"sometimes"}}}',
      "invalid restart policy: unknown policy 'sometimes'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'",
    ],
    [
      '{"Image":"a","HostConfig":{"Mounts":[{"Type":"nfs","Target":"/x"}]}}',
      'invalid mount config for type "nfs": mount type unknown',
    ],
    [
      '{"Image":"a","HostConfig":{"Mounts":[{"Type":"bind","Target":"/x","TmpfsOptions":{}}]}}',
      'TmpfsOptions must not be specified on mount type "bind"',
    ],
    [
      '{"Image":"a","HostConfig":{"Mounts":[{"Target":"/x"},{"Type":5}]}}',
      "invalid JSON: json: cannot unmarshal number into Go struct field Mount.HostConfig.Mounts.Type of type mount.Type",
    ],
    [
      '{"Image":"a","Labels":{"constructor":1}}',
      "invalid JSON: json: cannot unmarshal number into Go struct field CreateRequest.Config.Labels of type string",
    ],
    [
      '{"Image":"a","HostConfig":{"BlkioWeight":70000}}',
      "invalid JSON: json: cannot unmarshal number 70000 into Go struct field HostConfig.HostConfig.Resources.BlkioWeight of type uint16",
    ],
    [
      '{"Image":"a","HostConfig":{"Memory":1e30}}',
      "invalid JSON: json: cannot unmarshal number 1e+30 into Go struct field HostConfig.HostConfig.Resources.Memory of type int64",
    ],
    ['{"Image":"a"} {"Image":"b"}', "unexpected content after JSON"],
    ['{"Image":"a",}', "invalid JSON: invalid character '}' looking for beginning of object key string"],
    ['{"Image":"a"', "invalid JSON: unexpected EOF"],
    ["[]", "invalid JSON: json: cannot unmarshal array into Go value of type container.CreateRequest"],
  ])("refuses %s", async (body, message) => {
    expect(await create(body)).toMatchObject({ status: 400, body: { message }, got: undefined })
  })

  test("refuses another content type, and a body that is too large", async () => {
    const engine = engineWith({})
    const form = await answer(engine, "POST /containers/create", {
      body: "{}",
      headers: { "content-type": "text/plain" },
    })
    expect(form.body).toEqual({ message: "unsupported Content-Type header (text/plain): must be 'application/json'" })
    const large = await answer(engine, "POST /containers/create", { body: " ".repeat(4 * 1024 * 1024 + 1) })
    expect(large.status).toBe(400)
  })

  test("gives older clients the meaning of their version", async () => {
    const body = {
      Image: "a",
      MacAddress: "02:42:ac:11:00:02",
      HostConfig: { AutoRemove: true, Annotations: { a: "b" }, ConsoleSize: [1, 2], PidsLimit: -1 },
    }
    const old = (await create(body, "POST /v1.24/containers/create")).got
    expect(old?.hostConfig).toEqual({ NetworkMode: "bridge", IpcMode: "shareable" })
    expect(old?.networkingConfig.EndpointsConfig).toEqual({ bridge: { MacAddress: "02:42:ac:11:00:02" } })
    const now = await create(body)
    expect(now.got?.hostConfig).toEqual({
      AutoRemove: true,
      Annotations: { a: "b" },
      ConsoleSize: [1, 2],
      NetworkMode: "bridge",
    })
    expect(now.got?.config.MacAddress).toBeUndefined()
    expect(now.body).toMatchObject({ Warnings: [expect.stringContaining("MacAddress field is now deprecated")] })
  })

  test("names the networks when an older client asks for several", async () => {
    const body = { Image: "a", NetworkingConfig: { EndpointsConfig: { a: {}, b: {} } } }
    expect((await create(body, "POST /v1.43/containers/create")).body).toEqual({
      message: "Container cannot be created with multiple network endpoints: a, b",
    })
    expect((await create(body)).status).toBe(201)
  })
})
