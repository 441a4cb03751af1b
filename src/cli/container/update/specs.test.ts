import { expect, test } from "bun:test"
import { parseMountSpec, parseUnpublished } from "./specs.ts"

test("parseUnpublished() takes a port alone for all of its bindings", () => {
  expect(parseUnpublished(["80", "127.0.0.1:8080:81/tcp", "53/udp"])).toEqual({
    "80/tcp": null,
    "81/tcp": [{ HostIp: "127.0.0.1", HostPort: "8080" }],
    "53/udp": null,
  })
  expect(parseUnpublished(["8080:80", "80"])).toEqual({ "80/tcp": null })
})

test("parseMountSpec() reads the forms of -v and of --mount", () => {
  expect(parseMountSpec("/srv:/data:ro,rslave")).toEqual({
    Type: "bind",
    Source: "/srv",
    Target: "/data",
    ReadOnly: true,
    BindOptions: { CreateMountpoint: true, Propagation: "rslave" },
  })
  expect(parseMountSpec("data:/data:nocopy")).toEqual({
    Type: "volume",
    Source: "data",
    Target: "/data",
    VolumeOptions: { NoCopy: true },
  })
  expect(parseMountSpec("/srv:/data:ro,map=5:6")).toMatchObject({
    ReadOnly: true,
    BindOptions: { CreateMountpoint: true, Map: "5:6" },
  })
  expect(parseMountSpec("data:/data:map=5,nocopy").VolumeOptions).toEqual({ NoCopy: true, Map: "5" })
  expect(parseMountSpec("/data")).toEqual({ Type: "volume", Target: "/data" })
  expect(parseMountSpec("type=tmpfs,target=/t,tmpfs-size=1m")).toMatchObject({ Type: "tmpfs", Target: "/t" })
})

test("parseMountSpec() says what is wrong", () => {
  for (const text of ["data", "a:b", "a::/b", "/a:/b:ro:x", "/a:/b:z"])
    expect(() => parseMountSpec(text)).toThrow(`invalid mount '${text}': `)
})
