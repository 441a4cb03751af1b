import { beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type Digest, digestOf, hexOf } from "../../oci/digest.ts"
import { formatPlatform, hostPlatform } from "../../oci/platform.ts"
import { Database } from "../../state/database.ts"
import { imageConfigs } from "./configs.ts"
import { type ImageRecords, imageRecords } from "./records.ts"
import { imageResolver, type Resolver } from "./resolve.ts"

const MANIFEST = digestOf("manifest")
const INDEX = digestOf("index")

describe("imageResolver()", () => {
  let records: ImageRecords
  let resolver: Resolver
  let directory: string

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "dhow-resolve-"))
    records = imageRecords(Database.open(join(directory, "dhow.db")))
    resolver = imageResolver(records, imageConfigs({ path: (digest) => join(directory, hexOf(digest)) }), {
      offers: () => [],
      touch: () => {},
    })
  })

  function store(arch: string, targets: readonly Digest[]): Digest {
    const config = JSON.stringify({ architecture: arch, os: "linux", rootfs: { type: "layers", diff_ids: [MANIFEST] } })
    const id = digestOf(config)
    writeFileSync(join(directory, hexOf(id)), config)
    const row = { id, manifest: MANIFEST, os: "linux", arch, variant: "", size: 1, created_at: 0, pulled_at: 0 }
    records.putImage(row, targets)
    return id
  }

  test("finds an image by name, id, prefix and digest", () => {
    const id = store("amd64", [MANIFEST])
    records.putTag("docker.io/library/busybox:latest", MANIFEST)
    const forms = ["busybox", "docker.io/library/busybox:latest", id, hexOf(id), hexOf(id).slice(0, 5), id.slice(0, 15)]
    for (const form of [...forms, `busybox@${MANIFEST}`, MANIFEST]) expect(resolver.resolve(form).id).toBe(id)
    expect(resolver.resolve("busybox")).toMatchObject({
      manifest: MANIFEST,
      platform: { os: "linux", architecture: "amd64" },
      layers: [MANIFEST],
      references: ["docker.io/library/busybox:latest"],
    })
  })

  test("says what Docker says where there is none", () => {
    expect(() => resolver.resolve("busybox")).toThrow("No such image: busybox:latest")
    expect(() => resolver.resolve("distro.local/busybox:1")).toThrow("No such image: distro.local/busybox:1")
    expect(() => resolver.resolve("a".repeat(64))).toThrow(`No such image: sha256:${"a".repeat(64)}`)
    expect(() => resolver.resolve(`busybox@${INDEX}`)).toThrow(`No such image: busybox@${INDEX}`)
    expect(() => resolver.resolve("Busybox")).toThrow("must be lowercase")
  })

  test("does not guess between two ids with one prefix", () => {
    store("amd64", [MANIFEST])
    store("arm64", [MANIFEST])
    const twice = records.withPrefix("")
    expect(twice).toHaveLength(2)
    records.transaction(() => {
      for (let n = 0; n < 40; n++) store(`other${n}`, [MANIFEST])
    })
    const digits = "0123456789abcdef".split("").find((digit) => records.withPrefix(digit).length === 2)!
    expect(() => resolver.resolve(digits)).toThrow(`No such image: ${digits}:latest`)
  })

  test("prefers the host's platform, takes another, and refuses where one was asked for", () => {
    const arm = store("arm64", [INDEX, MANIFEST])
    records.putTag("docker.io/library/multi:latest", INDEX)
    expect(resolver.resolve("multi").platform.architecture).toBe("arm64")
    const amd = store("amd64", [INDEX])
    const host = process.arch === "arm64" ? arm : amd
    expect(resolver.resolve("multi").id).toBe(host)
    expect(resolver.resolve("multi", { os: "linux", architecture: "arm64", variant: "v8" }).id).toBe(arm)
    expect(() => resolver.resolve("multi", { os: "linux", architecture: "s390x" })).toThrow(
      "its platforms (linux/amd64, linux/arm64) do not match the specified platform (linux/s390x)",
    )
    records.putTag("docker.io/library/one:latest", MANIFEST)
    expect(() => resolver.resolve("one", { os: "linux", architecture: "s390x" })).toThrow(
      "its platform (linux/arm64) does not match the specified platform (linux/s390x)",
    )
    expect([...resolver.imageIds("multi")].sort()).toEqual([amd, arm].sort())
    expect(resolver.imageIds("none")).toEqual([])
    expect(resolver.imageIds("Not a name")).toEqual([])
  })

  test("gives no other architecture where the name has one for this host, but gives what it was told to", () => {
    const other = store("other", [INDEX])
    records.putTag("docker.io/library/multi:latest", INDEX)
    const offers = [{ os: "linux", architecture: "other" }, hostPlatform()]
    const strict = imageResolver(records, imageConfigs({ path: (digest) => join(directory, hexOf(digest)) }), {
      offers: () => offers,
      touch: () => {},
    })
    expect(() => strict.resolve("multi")).toThrow(`No such image: multi:latest for ${formatPlatform(hostPlatform())}`)
    expect(strict.resolve("multi", { os: "linux", architecture: "other" }).id).toBe(other)
    expect(strict.resolve(other).id).toBe(other)
    expect(resolver.resolve("multi").id).toBe(other)
  })

  test("keeps answering from memory after the blob's file is gone", () => {
    const id = store("amd64", [MANIFEST])
    resolver.resolve(id)
    writeFileSync(join(directory, hexOf(id)), "damaged")
    expect(resolver.resolve(id).config.architecture).toBe("amd64")
  })
})
