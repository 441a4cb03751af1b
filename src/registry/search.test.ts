// Searching and logging in against servers that mean it badly.
import { afterEach, expect, test } from "bun:test"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { openRegistries } from "./client.ts"

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

async function serve(handle: (request: IncomingMessage, response: ServerResponse) => void): Promise<string> {
  const server = createServer(handle)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  return `127.0.0.1:${(server.address() as AddressInfo).port}`
}

const registries = openRegistries({
  settings: () => ({}),
  pace: { tries: 2, first: 1, longest: 10 },
  patience: 1000,
  certificates: [],
})
const { signal } = new AbortController()
const search = (server: string, term = "") => registries.search({ server, term, limit: 10, signal })
const logIn = (server: string) =>
  registries.login({ server, credentials: { username: "alice", password: "wonder land" }, signal })
const failure = async (work: Promise<unknown>): Promise<string> =>
  await work.then(
    () => "it succeeded",
    (error: unknown) => (error as Error).message,
  )
const send = (response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void => {
  response.writeHead(200, { "content-type": "application/json", ...headers })
  response.end(JSON.stringify(value))
}
const isOld = ({ url = "" }: IncomingMessage): boolean => url.startsWith("/v1/")

test("search() takes names only that can be pulled, and texts only that can be shown", async () => {
  const host = await serve((request, response) => {
    if (isOld(request)) return void response.writeHead(404).end()
    send(response, { repositories: ["good/one", "../../etc", "UPPER", "a:b", 7, null, "x".repeat(400), "good/two"] })
  })
  expect((await search(host)).map(({ name }) => name)).toEqual([`${host}/good/one`, `${host}/good/two`])
  const old = await serve((request, response) => {
    const results = [{ name: "a\u001b[2Jb", description: "x\u0007y\n".repeat(1000), star_count: "many" }, null, {}]
    send(response, isOld(request) ? { results } : {})
  })
  const [found] = await search(old, "a")
  expect(found).toMatchObject({ name: "a [2Jb", stars: 0, isOfficial: false })
  expect(found!.description).toHaveLength(1000)
  expect(found!.description).not.toMatch(/\p{C}/u)
})

test("search() ends where a list does not, and reads no more than a page may hold", async () => {
  let pages = 0
  const endless = await serve((request, response) => {
    if (isOld(request)) return void response.writeHead(404).end()
    pages++
    send(response, { repositories: [] }, { link: `</v2/_catalog?n=1&last=${pages}>; rel="next"` })
  })
  expect(await failure(search(endless))).toContain("sends a list that does not end")
  const huge = await serve((request, response) => {
    if (isOld(request)) return void response.writeHead(404).end()
    response.writeHead(200, { "content-type": "application/json" })
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(1 << 20, 32)));
    }
    response.on("drain", more)
    more()
  })
  expect(await failure(search(huge))).toContain("sent more than the 8388608 bytes")
})

test("login() asks anew each time, and gives the identity token that it gets", async () => {
  let password = "wonder land"
  let asked = 0
  const host: string = await serve((request, response) => {
    if (request.url!.startsWith("/token")) {
      asked++
      expect(new URL(request.url!, "http://x").searchParams.get("offline_token")).toBe("true")
      const given = Buffer.from(request.headers.authorization!.slice("Basic ".length), "base64").toString()
      if (given !== `alice:${password}`) return void response.writeHead(401).end("{}")
      return send(response, { token: "t", refresh_token: "stays", expires_in: 3600 })
    }
    if (request.headers.authorization === "Bearer t") return void response.end("{}")
    response.writeHead(401, { "www-authenticate": `Bearer realm="http://${host}/token",service="s"` }).end()
  })
  expect(await logIn(host)).toBe("stays")
  password = "changed"
  expect(await failure(logIn(host))).toBe(`Get "http://${host}/v2/": unauthorized: authentication required`)
  expect(asked).toBe(2)
})

test("login() believes no token that is none, and shows no password", async () => {
  let answer: unknown = { token: "a\nX-Evil: 1" }
  const host: string = await serve((request, response) => {
    if (request.url!.startsWith("/token")) return send(response, answer)
    response.writeHead(401, { "www-authenticate": `Bearer realm="http://${host}/token"` }).end()
  })
  for (const bad of [answer, { token: 7 }, [], null, {}]) {
    answer = bad
    const said = await failure(logIn(host))
    expect(said).toContain("sent no token")
    expect(said).not.toContain("wonder")
  }
  const nowhere = await serve((_, response) => {
    response.writeHead(401, { "www-authenticate": 'Bearer realm="file:///etc/passwd"' }).end()
  })
  expect(await failure(logIn(nowhere))).toContain("names no place to get a token from")
})
