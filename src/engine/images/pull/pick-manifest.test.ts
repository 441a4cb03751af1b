import { expect, test } from "bun:test"
import { digestOf } from "../../../oci/digest.ts"
import type { Descriptor } from "../../../oci/manifest.ts"
import { parsePlatform } from "../../../oci/platform.ts"
import { pickManifest } from "./pick-manifest.ts"

const descriptor = (text: string, annotations?: Record<string, string>): Descriptor => ({
  mediaType: "application/vnd.oci.image.manifest.v1+json",
  digest: digestOf(text),
  size: 1,
  ...(text === "" ? {} : { platform: parsePlatform(text) }),
  ...(annotations === undefined ? {} : { annotations }),
})
const index = (...platforms: string[]) => ({
  schemaVersion: 2 as const,
  manifests: platforms.map((one) => descriptor(one)),
})
const host = parsePlatform("linux/amd64")

test("pickManifest() takes the host's platform, and exactly the one asked for", () => {
  const many = index("linux/386", "linux/amd64", "linux/arm/v6", "linux/arm64/v8")
  expect(pickManifest(many, undefined, { host }).digest).toBe(digestOf("linux/amd64"))
  expect(pickManifest(many, parsePlatform("arm64"), { host }).digest).toBe(digestOf("linux/arm64/v8"))
  expect(pickManifest(many, parsePlatform("linux/arm/v6"), { host }).digest).toBe(digestOf("linux/arm/v6"))
})

test("pickManifest() never gives another architecture or variant than was asked for, and says what there is", () => {
  const many = index("linux/386", "linux/arm/v6")
  expect(() => pickManifest(many, undefined, { host })).toThrow(
    "no matching manifest for linux/amd64 in the manifest list",
  )
  expect(() => pickManifest(many, parsePlatform("linux/arm/v7"), { host })).toThrow(
    "no matching manifest for linux/arm/v7",
  )
  expect(() => pickManifest(many, parsePlatform("arm64"), { host })).toThrow("no matching manifest")
})

test("pickManifest() gives a host an older variant that it runs as well", () => {
  const arm = parsePlatform("linux/arm/v7")
  expect(pickManifest(index("linux/arm/v5", "linux/arm/v6"), undefined, { host: arm }).digest).toBe(
    digestOf("linux/arm/v6"),
  )
  expect(() => pickManifest(index("linux/arm/v8"), undefined, { host: arm })).toThrow("no matching manifest")
})

test("pickManifest() passes over attestations, and takes the only image where no platform is said", () => {
  const attestation = descriptor("unknown/unknown", { "vnd.docker.reference.type": "attestation-manifest" })
  const manifests = [attestation, descriptor("")]
  expect(pickManifest({ schemaVersion: 2, manifests }, undefined, { host }).digest).toBe(digestOf(""))
})

test("pickManifest() gives what a platform runs as well only to whoever asks for that", () => {
  const compatible = { host, compatible: true }
  expect(pickManifest(index("linux/386"), undefined, compatible).digest).toBe(digestOf("linux/386"))
  const small = index("linux/arm/v5", "linux/arm/v6")
  expect(pickManifest(small, parsePlatform("arm64"), compatible).digest).toBe(digestOf("linux/arm/v6"))
  expect(() => pickManifest(small, parsePlatform("arm64"), { host })).toThrow("no matching manifest for linux/arm64")
  expect(() => pickManifest(index("linux/s390x"), undefined, compatible)).toThrow("no matching manifest")
})
