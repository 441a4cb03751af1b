import { expect, test } from "bun:test"
import { registriesOf } from "./registries.ts"

test("registriesOf() reads dockerd's keys: hosts, blocks of addresses, mirrors with a scheme", () => {
  const file = {
    "insecure-registries": ["lab.example:5000", "10.0.0.0/8", "http://old.example", "fd00::/8", "[::2]:5000"],
    "registry-mirrors": ["https://mirror.example/hub/", "http://plain.example:5000"],
  }
  expect(registriesOf(file)).toEqual({
    prefixes: { "docker.io": { mirrors: ["mirror.example/hub", "plain.example:5000"] } },
    hosts: {
      "lab.example:5000": { insecure: true },
      "old.example": { insecure: true },
      "[::2]:5000": { insecure: true },
      "plain.example:5000": { insecure: true },
    },
    insecureBlocks: ["10.0.0.0/8", "fd00::/8"],
  })
})

test("registriesOf() lets the key of its own say more of a host or of docker.io than dockerd's keys do", () => {
  const file = {
    registries: {
      prefixes: { "docker.io": { blocked: true } },
      hosts: { "lab.example": { insecure: false, auth: "/a.json" } },
    },
    "insecure-registries": ["lab.example"],
    "registry-mirrors": ["https://mirror.example"],
  }
  const { prefixes, hosts } = registriesOf(file)
  expect({ prefixes, hosts }).toEqual(file.registries)
})

test.each([
  [{ "insecure-registries": ["10.0.0.0/33"] }, 'insecure registry "10.0.0.0/33" is neither a host nor a block'],
  [{ "insecure-registries": ["lab.example/path"] }, 'insecure registry "lab.example/path" is neither'],
  [{ "insecure-registries": ["ftp://x"] }, 'insecure registry "ftp://x" is neither'],
  [{ "registry-mirrors": ["https://user:secret@x"] }, "is not a host, or a host with a port"],
  [{ registries: { default: "https://x.example" } }, 'registry "https://x.example" is not a host'],
  [{ registries: { prefixes: { "docker.io": { mirrors: ["https://x.example/hub"] } } } }, "is not a host"],
  [{ registries: { prefixes: { "a.example": { rewrite: "b.example/UPPER" } } } }, "is not a host with a path"],
  [{ registries: { hosts: { "a.example/team": { insecure: true } } } }, "is not a host, or a host with a port"],
])("registriesOf() refuses %j", (file, message) => {
  expect(() => registriesOf(file)).toThrow(message)
})
