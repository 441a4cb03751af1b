import { describe, expect, test } from "bun:test"
import { parseBind, parseMount, parseVolumesFrom } from "./mount-specs.ts"

describe("parseBind()", () => {
  test("reads a host path", () => {
    expect(parseBind("/a/../b:/in:ro")).toMatchObject({
      type: "bind",
      source: "/b",
      destination: "/in",
      readOnly: true,
      propagation: "",
      createSource: true,
    })
  })
  test("reads a named volume", () => {
    expect(parseBind("data:/var/lib/x/")).toMatchObject({
      type: "volume",
      source: "data",
      destination: "/var/lib/x",
      copyUp: true,
    })
    expect(parseBind("data:/x:nocopy").copyUp).toBe(false)
  })
  test("reads an anonymous volume", () => {
    expect(parseBind("/x")).toMatchObject({ type: "volume", source: "", destination: "/x" })
  })
  test.each([
    ["", "invalid volume specification: ''"],
    [":/x", "invalid volume specification: ':/x'"],
    ["/x:rw", "invalid volume specification: '/x:rw'"],
    ["a:b:c:d", "invalid volume specification: 'a:b:c:d'"],
    ["/a:/b:nope", "invalid mode: nope"],
    ["/a:/b:ro,rw", "invalid mode: ro,rw"],
    ["/a:/", "invalid specification: destination can't be '/'"],
    ["/a:b", "mount path must be absolute"],
  ])("refuses %p", (text, message) => {
    expect(() => parseBind(text)).toThrow(message)
  })
})

describe("parseMount()", () => {
  test("reads a bind, whose source must exist already", () => {
    expect(parseMount({ Type: "bind", Source: "/a", Target: "/b" })).toMatchObject({
      type: "bind",
      createSource: false,
    })
  })
  test("reads a tmpfs with its size and mode", () => {
    const wish = parseMount({ Type: "tmpfs", Target: "/t", TmpfsOptions: { SizeBytes: 4096, Mode: 0o1770 } })
    expect(wish.tmpfsOptions).toEqual(["mode=1770", "size=4096"])
  })
  test.each([
    [{ Type: "bind", Target: "/b" } as const, 'invalid mount config for type "bind": field Source must not be empty'],
    [{ Type: "bind", Source: "a", Target: "/b" } as const, "mount path must be absolute"],
    [{ Type: "volume", Source: "v", Target: "" } as const, "field Target must not be empty"],
    [
      { Type: "volume", Source: "v", Target: "/x", VolumeOptions: { Subpath: "../etc" } } as const,
      "subpath must be a relative path within the volume",
    ],
    [{ Type: "tmpfs", Source: "x", Target: "/x" } as const, "field Source must not be specified"],
  ])("refuses %p", (mount, message) => {
    expect(() => parseMount(mount)).toThrow(message)
  })
})

test("parseVolumesFrom() reads the container and its mode", () => {
  expect(parseVolumesFrom("web:ro")).toEqual({ container: "web", readOnly: true })
  expect(parseVolumesFrom("web")).toEqual({ container: "web", readOnly: false })
  expect(() => parseVolumesFrom("web:rshared")).toThrow("invalid mode: rshared")
})

test.each(["/proc/x", "/proc/sys/kernel", "/proc/1/../self"])("parseBind() refuses to mount at %p", (path) => {
  expect(() => parseBind(`/tmp:${path}`)).toThrow("cannot be mounted because it is inside /proc")
})

test("parseBind() takes files of /proc that tools put their own in the place of", () => {
  expect(parseBind("/x/meminfo:/proc/meminfo").destination).toBe("/proc/meminfo")
})
