// TLS of registries: an authority of one's own, a client's certificate, and what happens without them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describeError } from "../../src/lib/errors.ts"
import { openRegistries } from "../../src/registry/client.ts"
import type { HostSettings } from "../../src/registry/settings.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"

const KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]

describe.skipIf(!hasRegistry || Bun.which("openssl") === null)("a registry behind TLS", () => {
  let directory: string
  let registry: TestRegistry
  const at = (name: string): string => join(directory, name)

  function openssl(...args: readonly string[]): void {
    const result = Bun.spawnSync(["openssl", ...args], { cwd: directory })
    if (result.exitCode !== 0) throw new Error(`openssl ${args[0]}: ${result.stderr.toString()}`)
  }

  function sign(name: string, days: string): void {
    openssl("req", ...KEY, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`)
    const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", days, "-extfile", "names"]
    openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.pem`)
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "dhow-tls-"))
    openssl("req", "-x509", ...KEY, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority")
    writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n")
    for (const name of ["server", "client"]) sign(name, "2")
    registry = await TestRegistry.start({
      tls: { certificate: at("server.pem"), key: at("server.key"), clientcas: [at("ca.pem")] },
    })
  })
  afterAll(async () => {
    await registry.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  async function outcome(
    host: HostSettings,
    certificates: readonly string[] = [],
    domain = registry.host,
  ): Promise<string> {
    const settings = { hosts: { [domain]: host } }
    const registries = openRegistries({ settings: () => settings, certificates })
    const ask = async () => {
      const repository = registries.repository({ domain, path: "x" }, { access: "pull" })
      return await repository.tags({ signal: new AbortController().signal })
    }
    return await ask().then(
      () => "found",
      (error: unknown) => describeError(error),
    )
  }

  const pair = () => ({ cert: at("client.pem"), key: at("client.key") })

  test("is reached with the authority and the client's pair that the settings name", async () => {
    expect(await outcome({ insecure: false, ca: at("ca.pem"), ...pair() })).toContain("repository")
    expect(await outcome({ insecure: true, ...pair() })).toContain("not found")
  })

  test("is reached with what lies in a directory of certificates", async () => {
    const certificates = join(directory, "certs.d")
    mkdirSync(join(certificates, registry.host), { recursive: true })
    copyFileSync(at("ca.pem"), join(certificates, registry.host, "ca.crt"))
    copyFileSync(at("client.pem"), join(certificates, registry.host, "client.cert"))
    copyFileSync(at("client.key"), join(certificates, registry.host, "client.key"))
    expect(await outcome({ insecure: false }, [certificates])).toContain("not found")
  })

  test("is not spoken to when its certificate does not verify, nor in plain; what to do is said", async () => {
    const unknown = await outcome({ insecure: false, ...pair() })
    expect(unknown).toContain("certificate signed by unknown authority")
    expect(unknown).toContain(`(Put the certificate of its authority into /etc/dhow/certs.d/${registry.host}/ca.crt)`)
    const nobody = await outcome({ insecure: false, ca: at("ca.pem") })
    expect(nobody).toContain(`put client.cert and client.key into /etc/dhow/certs.d/${registry.host}`)
    expect(await outcome({ ca: at("missing.pem") })).toContain(`Cannot read "${at("missing.pem")}"`)
  })

  test("whose certificate is for another name, or is over, is told apart", async () => {
    writeFileSync(at("names"), "subjectAltName=DNS:other.example\n")
    sign("other", "2")
    writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n")
    sign("over", "0")
    for (const [name, line] of [
      ["other", 'its certificate is not for "127.0.0.1"'],
      ["over", "its certificate has expired"],
    ] as const) {
      const tls = { cert: Bun.file(at(`${name}.pem`)), key: Bun.file(at(`${name}.key`)) }
      const server = Bun.serve({ hostname: "127.0.0.1", port: 0, tls, fetch: () => new Response("{}") })
      const host = `127.0.0.1:${server.port}`
      expect(await outcome({ insecure: false, ca: at("ca.pem") }, [], host)).toContain(line)
      await server.stop(true)
    }
  })
})
