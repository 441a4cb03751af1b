// Who may do what: passwords, tokens for those without one, TLS, read-only, and addresses that others reach.
import { afterAll, afterEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { digestOf } from "../../src/oci/digest.ts"
import type { RegistryListener } from "../../src/wire/registry-server.ts"
import { refusal, TestServer } from "./fixture.ts"

let server: TestServer | undefined
const directory = mkdtempSync(join(tmpdir(), "dhow-access-"))
const hash = (password: string): string => Bun.password.hashSync(password, { algorithm: "bcrypt", cost: 4 })
/** Apache's htpasswd writes the same with another letter. */
const users = (name: string, list: Readonly<Record<string, string>>): string => {
  const path = join(directory, name)
  const lines = Object.entries(list).map(([user, password]) => `${user}:${hash(password).replace("$2b$", "$2y$")}`)
  writeFileSync(path, `# users\n${lines.join("\n")}\n`)
  return path
}
const open = (listener: Partial<RegistryListener>): TestServer => {
  server = new TestServer(listener)
  return server
}
const basic = (user: string, password: string) => ({ Authorization: `Basic ${btoa(`${user}:${password}`)}` })

afterEach(() => {
  server?.[Symbol.dispose]()
  server = undefined
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

describe("passwords", () => {
  test("nothing is told or taken without the right one", async () => {
    const s = open({ htpasswd: users("u1", { alice: "wonder:land" }) })
    const paths = ["/v2/", "/v2/_catalog", "/v2/a/tags/list", "/metrics", `/v2/a/blobs/${digestOf("x")}`]
    for (const path of paths) {
      const answer = await s.send("GET", path)
      expect([path, answer.headers.get("www-authenticate")]).toEqual([
        path,
        'Basic realm="dhow registry", charset="UTF-8"',
      ])
      expect(await refusal(answer)).toBe("401 UNAUTHORIZED")
      for (const wrong of [basic("alice", "wonder"), basic("bob", "wonder:land"), { Authorization: "Basic !!" }])
        expect((await s.send("GET", path, { headers: wrong })).status).toBe(401)
    }
    expect((await s.send("POST", "/v2/a/blobs/uploads/")).status).toBe(401)
    await s.expect(200, "GET", "/v2/", { headers: basic("alice", "wonder:land") })
    await s.expect(202, "POST", "/v2/a/blobs/uploads/", { headers: basic("alice", "wonder:land") })
  })

  test("a file that changes is read again, and one that is broken changes nothing", async () => {
    const path = users("u2", { alice: "one" })
    const s = open({ htpasswd: path })
    const login = async (password: string) =>
      (await s.send("GET", "/v2/", { headers: basic("alice", password) })).status
    expect(await login("one")).toBe(200)
    users("u2", { alice: "two" })
    utimesSync(path, 1, 1)
    expect([await login("one"), await login("two")]).toEqual([401, 200])
    writeFileSync(path, "alice:plain-text\n")
    expect([await login("plain-text"), await login("two")]).toEqual([401, 200])
  })

  test("a file that holds no bcrypt hashes is refused before anything is served", () => {
    const path = join(directory, "u3")
    writeFileSync(path, "alice:$apr1$abc$def\n")
    expect(() => open({ htpasswd: path })).toThrow("line 1 is no user with a bcrypt hash")
    expect(() => open({ htpasswd: join(directory, "missing") })).toThrow("cannot be read")
  })

  test("a flood of wrong passwords is bounded, and the right one still gets in", async () => {
    const s = open({ htpasswd: users("u4", { alice: "right" }) })
    const wrong = Array.from({ length: 200 }, (_, at) => s.send("GET", "/v2/", { headers: basic("alice", `no${at}`) }))
    const statuses = new Set((await Promise.all(wrong)).map(({ status }) => status))
    expect([...statuses].sort()).toEqual([401, 429])
    await s.expect(200, "GET", "/v2/", { headers: basic("alice", "right") })
  })
})

describe("pulling for everybody, pushing for users", () => {
  test("tokens say who may what", async () => {
    const s = open({ htpasswd: users("u5", { alice: "secret" }), anonymousPull: true })
    const challenge = (await s.send("GET", "/v2/")).headers.get("www-authenticate")!
    expect(challenge).toBe(`Bearer realm="${s.url}/token",service="${s.host}"`)
    const token = async (headers: Record<string, string> = {}) => {
      const answer = await s.expect(200, "GET", `/token?service=${s.host}&scope=repository:a:pull,push`, { headers })
      return { Authorization: `Bearer ${((await answer.json()) as { token: string }).token}` }
    }
    const anonymous = await token()
    const alice = await token(basic("alice", "secret"))
    await s.expect(201, "POST", `/v2/a/blobs/uploads/?digest=${digestOf("x")}`, { headers: alice, body: "x" })
    await s.expect(200, "GET", `/v2/a/blobs/${digestOf("x")}`, { headers: anonymous })
    const refused = await s.send("POST", "/v2/a/blobs/uploads/", { headers: anonymous })
    expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([
      401,
      `Bearer realm="${s.url}/token",service="${s.host}",scope="repository:a:pull,push",error="insufficient_scope"`,
    ])
    expect((await s.send("DELETE", `/v2/a/blobs/${digestOf("x")}`, { headers: anonymous })).status).toBe(401)
    expect((await s.send("GET", "/metrics", { headers: anonymous })).status).toBe(401)
    expect((await s.send("GET", "/token", { headers: basic("alice", "wrong") })).status).toBe(401)
    await s.expect(200, "GET", "/metrics", { headers: basic("alice", "secret") })
  })

  test("a token that was made up or changed is none", async () => {
    const s = open({ htpasswd: users("u6", { alice: "secret" }), anonymousPull: true })
    const { token } = (await (await s.expect(200, "GET", "/token")).json()) as { token: string }
    const [, expires, signature] = token.split(".")
    for (const forged of [`push.${expires}.${signature}`, `pull.9999999999999.${signature}`, "push.1.x", "..", ""])
      expect((await s.send("GET", "/v2/", { headers: { Authorization: `Bearer ${forged}` } })).status).toBe(401)
  })
})

describe("what is served", () => {
  test("read-only refuses pushing and deleting, and nothing else", async () => {
    const s = open({ readOnly: true })
    expect(await refusal(s.send("POST", "/v2/a/blobs/uploads/"))).toBe("405 UNSUPPORTED")
    expect(await refusal(s.send("PUT", "/v2/a/manifests/1", { body: "{}" }))).toBe("405 UNSUPPORTED")
    expect(await refusal(s.send("DELETE", "/v2/a/manifests/1"))).toBe("405 UNSUPPORTED")
    await s.expect(200, "GET", "/v2/")
  })

  test("addresses that others reach need TLS and passwords, or the word that they do not", () => {
    const htpasswd = users("u7", { a: "b" })
    for (const address of ["0.0.0.0:0", ":0", "[::]:0", "example.com:0"]) {
      expect(() => open({ address })).toThrow("without TLS and passwords")
      expect(() => open({ address, htpasswd })).toThrow("without TLS: others reach it")
    }
    expect(() => open({ address: "127.0.0.1" })).toThrow("expected HOST:PORT")
    expect(() => open({ address: "127.0.0.1:70000" })).toThrow("expected HOST:PORT")
    expect(() => open({ anonymousPull: true })).toThrow("needs --htpasswd")
    expect(open({ address: "0.0.0.0:0", insecure: true }).url).toMatch(/^http:\/\/localhost:\d+$/)
  })

  test.skipIf(Bun.which("openssl") === null)("TLS is spoken with the certificate that was given", async () => {
    const [cert, key] = [join(directory, "cert.pem"), join(directory, "key.pem")]
    const made = Bun.spawnSync(
      ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"].concat([
        "-keyout",
        key,
        "-out",
        cert,
        "-subj",
        "/CN=localhost",
        "-addext",
        "subjectAltName=IP:127.0.0.1",
      ]),
    )
    expect(made.exitCode).toBe(0)
    const s = open({ tls: { cert, key }, htpasswd: users("u8", { alice: "secret" }) })
    expect(s.url).toStartWith("https://127.0.0.1:")
    const ca = await Bun.file(cert).text()
    const big = Buffer.alloc(3_000_000, "x")
    const headers = basic("alice", "secret")
    await s.send("POST", `/v2/a/blobs/uploads/?digest=${digestOf(big)}`, { headers, body: big, tls: { ca } })
    const got = await s.send("GET", `/v2/a/blobs/${digestOf(big)}`, { headers, tls: { ca } })
    expect(digestOf(new Uint8Array(await got.arrayBuffer()))).toBe(digestOf(big))
    expect(s.send("GET", "/v2/", { headers })).rejects.toThrow()
    expect(() => open({ tls: { cert: "/nowhere", key } })).toThrow('Cannot read "/nowhere"')
  })
})

describe("metrics", () => {
  test("requests, bytes, latency and what is kept are counted", async () => {
    const s = open({})
    await s.pushImage("a", "1")
    await s.expect(404, "GET", `/v2/a/blobs/${digestOf("none")}`)
    const text = await (await s.expect(200, "GET", "/metrics")).text()
    const value = (line: string): number =>
      Number(
        text
          .split("\n")
          .find((one) => one.startsWith(line))
          ?.split(" ")[1],
      )
    const of = (route: string, method: string, status: number) =>
      value(`dhow_registry_requests_total{listener="${s.host}",route="${route}",method="${method}",status="${status}"}`)
    expect(of("uploads", "POST", 201)).toBe(2)
    expect(of("manifests", "PUT", 201)).toBe(1)
    expect(of("blobs", "GET", 404)).toBe(1)
    expect(value("dhow_registry_disk_bytes")).toBe(s.registry.records.bytes())
    expect(value(`dhow_registry_received_bytes_total{listener="${s.host}"}`)).toBeGreaterThan(100)
    expect(value(`dhow_registry_request_seconds_bucket{listener="${s.host}",route="uploads",le="+Inf"}`)).toBe(2)
    expect(text).not.toContain("NaN")
  })
})
