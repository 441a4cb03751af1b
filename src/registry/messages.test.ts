// Each way in which a registry can fail a pull, as the one line that the user gets to see.
import { expect, test } from "bun:test"
import { createServer, type Socket } from "node:net"
import { describeError } from "../lib/errors.ts"
import { openRegistries } from "./client.ts"

const json = (value: unknown): string => {
  const text = JSON.stringify(value)
  return `Content-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`
}
const NOTHING = "Content-Length: 0\r\n\r\n"

async function said(answer: string, isOver = false): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on("error", () => {})
    socket.on("data", (bytes) => {
      const isTls = bytes[0] === 0x16
      if (isTls) return void socket.destroy()
      socket.write(answer)
      if (isOver) socket.end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const host = `127.0.0.1:${(server.address() as { port: number }).port}`
  const registries = openRegistries({
    settings: () => ({}),
    pace: { tries: 2, first: 1, longest: 10 },
    patience: 1000,
    certificates: [],
  })
  try {
    const repository = registries.repository({ domain: host, path: "team/app" }, { access: "pull" })
    await repository.manifest("1", { signal: new AbortController().signal })
    return "it succeeded"
  } catch (error) {
    return describeError(error).replaceAll(host, "HOST")
  } finally {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
}

const AT = 'Get "http://HOST/v2/team/app/manifests/1"'

test.each([
  [
    "401 Unauthorized",
    `WWW-Authenticate: Basic realm=x\r\n${NOTHING}`,
    `${AT}: no basic auth credentials (Log in first: dhow login HOST)`,
  ],
  ["401 Unauthorized", NOTHING, "unauthorized: authentication required (Log in first: dhow login HOST)"],
  [
    "403 Forbidden",
    NOTHING,
    "pull access denied for HOST/team/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied (Log in first: dhow login HOST)",
  ],
  [
    "404 Not Found",
    json({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }),
    "manifest for HOST/team/app:1 not found: manifest unknown: manifest unknown",
  ],
  [
    "404 Not Found",
    json({ errors: [{ code: "NAME_UNKNOWN", message: "repository name not known to registry" }] }),
    "repository HOST/team/app not found: name unknown: repository name not known to registry",
  ],
  [
    "429 Too Many Requests",
    `Retry-After: 3600\r\n${NOTHING}`,
    "toomanyrequests: too many requests (The registry asks to wait 3600 seconds)",
  ],
  [
    "429 Too Many Requests",
    json({ errors: [{ code: "TOOMANYREQUESTS", message: "You have pulled\nenough" }] }),
    "toomanyrequests: You have pulled enough",
  ],
  ["500 Oh", NOTHING, `${AT}: unexpected status 500`],
  ["302 Found", `Location: /v2/team/app/manifests/1\r\n${NOTHING}`, `${AT}: stopped after 5 redirects`],
  ["302 Found", `Location: file:///etc/passwd\r\n${NOTHING}`, 'Registry "HOST" sent a location that is no address'],
  [
    "200 OK",
    "Content-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>",
    `Registry "HOST" sent a manifest that is not JSON: JSON Parse error: Unrecognized token '<'`,
  ],
  [
    "200 OK",
    "Content-Length: 9000000\r\n\r\n".concat(" ".repeat(9_000_000)),
    'Registry "HOST" sent more than the 8388608 bytes allowed here',
  ],
])("%s %j", async (status, rest, line) => {
  expect(await said(`HTTP/1.1 ${status}\r\n${rest}`)).toBe(line)
})

test.each([
  ["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", `${AT}: the connection broke off`],
  ["", `${AT}: the connection broke off`],
  ["SSH-2.0-OpenSSH_9\r\n", `${AT}: the answer is not HTTP`],
  ["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", `${AT}: the answer is not HTTP`],
])("an answer that ends too early, or is none: %j", async (answer, line) => {
  expect(await said(answer, true)).toBe(line)
})
