// The client against a server on loopback that misbehaves in every way it can.
import { afterEach, expect, test } from "bun:test"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { type Digest, digestOf } from "../oci/digest.ts"
import { MEDIA_TYPE } from "../oci/manifest.ts"
import { openRegistries } from "./client.ts"
import type { Repository } from "./contract.ts"
import type { Credentials } from "./credentials.ts"
import type { RegistrySettings } from "./settings.ts"

type Handle = (request: IncomingMessage, response: ServerResponse, path: string) => void
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(handle: Handle): Promise<string> {
  const server = createServer((request, response) => handle(request, response, request.url ?? ""))
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

function open(domain: string, options: { credentials?: Credentials; settings?: RegistrySettings } = {}): Repository {
  const { credentials, settings = {} } = options
  const registries = openRegistries({
    settings: () => settings,
    pace: { tries: 4, first: 1, longest: 20 },
    patience: 200,
    certificates: [],
  })
  return registries.repository(
    { domain, path: "team/app" },
    { access: "pull", ...(credentials === undefined ? {} : { credentials }) },
  )
}

const signal = new AbortController().signal
const options = { signal }
const reject = (response: ServerResponse, status: number, code: string, message: string): void => {
  response.writeHead(status, { "content-type": "application/json" })
  response.end(JSON.stringify({ errors: [{ code, message }] }))
}
const failure = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => "it succeeded",
    (error: unknown) => (error as Error).message,
  )
const manifestBytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPE.ociManifest, layers: [] }))
const content = Buffer.alloc(300_000, "0123456789abcdef")
const blob = { digest: digestOf(content), size: content.length }
const read = async (repository: Repository, of: { digest: Digest; size: number } = blob): Promise<Buffer> =>
  Buffer.concat(await Array.fromAsync(repository.blob(of, options)))

test("manifest() gives bytes whose digest fits, and their type", async () => {
  const repository = open(await serve((_, response) => response.end(manifestBytes)))
  const { digest, mediaType } = await repository.manifest("latest", options)
  expect({ digest, mediaType }).toEqual({ digest: digestOf(manifestBytes), mediaType: MEDIA_TYPE.ociManifest })
})

test("manifest() refuses another digest than was asked for or promised, and what is endless", async () => {
  const wrong = digestOf("other")
  const lying = await serve((_, response) => {
    response.setHeader("docker-content-digest", wrong)
    response.end(manifestBytes)
  })
  expect(await failure(open(lying).manifest("latest", options))).toContain(`does not match its digest "${wrong}"`)
  expect(await failure(open(lying).manifest(wrong, options))).toContain(`does not match its digest "${wrong}"`)
  const endless = await serve((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 20)));
    }
    response.on("drain", more)
    more()
  })
  expect(await failure(open(endless).manifest("latest", options))).toContain("sent more than the 8388608 bytes")
})

test("refusals come in Docker's words", async () => {
  let answer: readonly [number, string, string] = [404, "MANIFEST_UNKNOWN", "manifest unknown"]
  const host = await serve((_, response, path) =>
    path === "/v2/" ? response.end() : reject(response, answer[0], answer[1], answer[2]),
  )
  const said = (): Promise<string> => failure(open(host).manifest("9", options))
  expect(await said()).toBe(`manifest for ${host}/team/app:9 not found: manifest unknown: manifest unknown`)
  answer = [403, "DENIED", "requested access to the resource is denied"]
  expect(await said()).toBe(
    `pull access denied for ${host}/team/app, repository does not exist or may require 'docker login': ` +
      "denied: requested access to the resource is denied",
  )
  answer = [404, "NAME_UNKNOWN", "repository name not known to registry"]
  expect(await said()).toContain(`repository ${host}/team/app not found: name unknown: `)
  answer = [400, "NAME_INVALID", "a\nb\u001b[31m"]
  expect(await said()).toBe("name invalid: a b [31m")
})

test("a 429 and a 503 are tried again, as long as it makes sense", async () => {
  let calls = 0
  const host = await serve((_, response, path) => {
    if (path === "/v2/") return response.end()
    calls++
    if (calls === 1) response.setHeader("retry-after", "0")
    if (calls === 1) return reject(response, 429, "TOOMANYREQUESTS", "slow down")
    if (calls === 2) return reject(response, 503, "UNAVAILABLE", "soon")
    response.end(manifestBytes)
  })
  await open(host).manifest("latest", options)
  expect(calls).toBe(3)
  const never = await serve((_, response, path) => {
    if (path === "/v2/") return response.end()
    response.setHeader("retry-after", "3600")
    reject(response, 429, "TOOMANYREQUESTS", "slow down")
  })
  expect(await failure(open(never).manifest("latest", options))).toBe("toomanyrequests: slow down")
})

test("a redirect loop ends, and credentials do not follow to another host", async () => {
  const loop = await serve((_, response) => response.writeHead(307, { location: "/again" }).end())
  expect(await failure(open(loop).manifest("latest", options))).toContain("stopped after 5 redirects")
  let seen: string | undefined = "nothing"
  const other = await serve((request, response) => {
    seen = request.headers.authorization
    response.end(manifestBytes)
  })
  const host = await serve((request, response) => {
    if (request.headers.authorization === undefined)
      return response.writeHead(401, { "www-authenticate": "Basic realm=r" }).end()
    response.writeHead(307, { location: `http://${other}/elsewhere` }).end()
  })
  await open(host, { credentials: { username: "u", password: "secret" } }).manifest("latest", options)
  expect(seen).toBeUndefined()
})

test("basic authentication is asked for by name when there is none, and no password gets into a message", async () => {
  const host = await serve((request, response) => {
    const isRight = request.headers.authorization === `Basic ${Buffer.from("u:right").toString("base64")}`
    if (isRight) return response.end(manifestBytes)
    response.writeHead(401, { "www-authenticate": "Basic realm=r", "content-type": "application/json" })
    response.end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
  })
  const get = (credentials?: Credentials) =>
    failure(open(host, credentials === undefined ? {} : { credentials }).manifest("latest", options))
  expect(await get()).toContain("no basic auth credentials")
  expect(await get({ username: "u", password: "wrong" })).toBe("unauthorized: authentication required")
  expect(await get({ username: "u", password: "right" })).toBe("it succeeded")
})

test("tokens are fetched with scope and user, kept, and fetched anew when they have gone stale", async () => {
  const asked: string[] = []
  let valid = "one"
  const host = await serve((request, response, path) => {
    if (path === "/v2/") return response.end()
    if (path.startsWith("/token")) {
      asked.push(decodeURIComponent(path))
      return response.end(JSON.stringify({ token: valid, expires_in: 300 }))
    }
    if (request.headers.authorization === `Bearer ${valid}`) return response.end(manifestBytes)
    response.setHeader("www-authenticate", `Bearer realm="http://${host}/token",service="s"`)
    response.writeHead(401).end()
  })
  const repository = open(host, { credentials: { username: "u", password: "p" } })
  await repository.manifest("latest", options)
  await repository.manifest("latest", options)
  expect(asked).toEqual(["/token?service=s&scope=repository:team/app:pull&account=u"])
  valid = "two"
  await repository.manifest("latest", options)
  expect(asked).toHaveLength(2)
})

test("an identity token is exchanged for an access token", async () => {
  let form = ""
  const host = await serve((request, response, path) => {
    if (path === "/v2/") return response.end()
    if (request.headers.authorization === "Bearer fresh") return response.end(manifestBytes)
    if (path !== "/token")
      return response.writeHead(401, { "www-authenticate": `Bearer realm="http://${host}/token"` }).end()
    request.on("data", (chunk) => {
      form += chunk
    })
    request.on("end", () => response.end('{"access_token":"fresh"}'))
  })
  await open(host, { credentials: { identityToken: "long-lived" } }).manifest("latest", options)
  expect(Object.fromEntries(new URLSearchParams(form))).toMatchObject({
    grant_type: "refresh_token",
    refresh_token: "long-lived",
    scope: "repository:team/app:pull",
  })
})

test("blob() takes a broken transfer up where it stopped, with and without ranges on the other side", async () => {
  for (const hasRanges of [true, false]) {
    const asked: (string | undefined)[] = []
    const host = await serve((request, response, path) => {
      if (path === "/v2/") return response.end()
      const { range } = request.headers
      asked.push(range)
      const from = hasRanges ? Number(/^bytes=(\d+)-$/.exec(range ?? "bytes=0-")?.[1]) : 0
      response.writeHead(from > 0 ? 206 : 200, {
        "content-length": String(content.length - from),
        ...(from > 0 ? { "content-range": `bytes ${from}-${content.length - 1}/${content.length}` } : {}),
      })
      if (asked.length > 3) return response.end(content.subarray(from))
      response.write(content.subarray(from, 70_000 * asked.length), () => setTimeout(() => response.destroy(), 10))
    })
    expect((await read(open(host))).equals(content)).toBe(true)
    expect(asked[0]).toBeUndefined()
    expect(asked.length).toBe(4)
  }
})

test("blob() begins behind what is here, and verifies the whole", async () => {
  const host = await serve((request, response, path) => {
    if (path === "/v2/") return response.end()
    expect(request.headers.range).toBe("bytes=1000-")
    response.writeHead(206, { "content-length": String(content.length - 1000) }).end(content.subarray(1000))
  })
  const rest = async (beginning: Uint8Array) => {
    const hasher = new Bun.CryptoHasher("sha256").update(beginning)
    return Buffer.concat(await Array.fromAsync(open(host).blob(blob, { signal, start: { offset: 1000, hasher } })))
  }
  expect((await rest(content.subarray(0, 1000))).equals(content.subarray(1000))).toBe(true)
  expect(await failure(rest(Buffer.alloc(1000)))).toContain("does not match its digest")
})

test("blob() refuses another digest, another length, and an endless body", async () => {
  const wrong = await serve((_, response) => response.end(Buffer.alloc(content.length)))
  expect(await failure(read(open(wrong)))).toContain(`does not match its digest "${blob.digest}"`)
  const short = await serve((_, response) => response.end(content.subarray(1)))
  expect(await failure(read(open(short)))).toContain("is 299999 bytes, not the 300000 expected")
  const endless = await serve((_, response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 16)));
    }
    response.on("drain", more)
    more()
  })
  expect(await failure(read(open(endless)))).toContain("is longer than the 300000 bytes expected")
})

test("what falls silent is given up, and a signal ends a wait at once", async () => {
  const silent = await serve((_, response, path) => {
    if (path === "/v2/") response.end()
    else response.writeHead(200, { "content-length": String(content.length) }).write(content.subarray(0, 10))
  })
  expect(await failure(read(open(silent)))).toContain("no answer for 1 seconds")
  const abort = new AbortController()
  const reading = failure(Array.fromAsync(open(silent).blob(blob, { signal: abort.signal })))
  setTimeout(() => abort.abort(), 20)
  expect(await reading).toBe("The request was cancelled")
})

test("a mirror that fails is passed over, and never sees the credentials", async () => {
  const seen: (string | undefined)[] = []
  const mirror = await serve((request, response) => {
    seen.push(request.headers.authorization)
    response.writeHead(401, { "www-authenticate": "Basic realm=r" }).end()
  })
  const host = await serve((_, response) => response.end(manifestBytes))
  const settings = { prefixes: { [host]: { mirrors: [mirror] } } }
  const repository = open(host, { settings, credentials: { username: "u", password: "p" } })
  expect((await repository.manifest("latest", options)).digest).toBe(digestOf(manifestBytes))
  expect(seen.every((header) => header === undefined)).toBe(true)
})

test("tags() follows pages and stops at lists that do not end", async () => {
  const host = await serve((_, response, path) => {
    const last = new URL(path, "http://x").searchParams.get("last")
    if (last === null) response.setHeader("link", '</v2/team/app/tags/list?last=b>; rel="next"')
    response.end(JSON.stringify({ tags: last === null ? ["a", "b"] : ["c", "not/a tag"] }))
  })
  expect(await open(host).tags(options)).toEqual(["a", "b", "c"])
})

test("a port where nobody listens is one clear line, at once", async () => {
  const host = await serve(() => undefined)
  servers[0]!.close()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await failure(open(host).manifest("latest", options))).toBe(
    `Get "http://${host}/v2/team/app/manifests/latest": connection refused`,
  )
})
