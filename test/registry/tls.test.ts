// TLS of registries: an authority of one's own, a client's certificate, and what happens without them.
import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { openRegistries } from "../../src/registry/client.ts"
import type { HostSettings } from "../../src/registry/settings.ts"
import { hasRegistry, TestRegistry } from "../support/registry.ts"

describe.skipIf(!hasRegistry || Bun.which("openssl") === null)("a registry behind TLS", () => {
  let directory: string
  let registry: TestRegistry
  const at = (name: string): string => join(directory, name)

  function openssl(...args: readonly string[]): void {
    const result = Bun.spawnSync(["openssl", ...args], { cwd: directory })
    if (result.exitCode !== 0) throw new Error(`openssl ${args[0]}: ${result.stderr.toString()}`)
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "dhow-tls-"))
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl("req", "-x509", ...key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2", "-subj", "/CN=test authority")
    writeFileSync(at("names"), "subjectAltName=IP:127.0.0.1\n")
    for (const name of ["server", "client"]) {
      openssl("req", ...key, "-keyout", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`)
      const by = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names"]
      openssl("x509", "-req", "-in", `${name}.csr`, ...by, "-out", `${name}.pem`)
    }
    registry = await TestRegistry.start({
      tls: { certificate: at("server.pem"), key: at("server.key"), clientcas: [at("ca.pem")] },
    })
  })
  afterAll(async () => {
    await registry.stop()
    rmSync(directory, { recursive: true, force: true })
  })

  async function outcome(host: HostSettings, certificates: readonly string[] = []): Promise<string> {
    const settings = { hosts: { [registry.host]: host } }
    const registries = openRegistries({ settings: () => settings, certificates })
    const ask = async () => {
      const repository = registries.repository({ domain: registry.host, path: "x" }, { access: "pull" })
      return await repository.tags({ signal: new AbortController().signal })
    }
    return await ask().then(
      () => "found",
      (error: unknown) => (error as Error).message,
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

  test("is not spoken to when its certificate does not verify, nor in plain", async () => {
    expect(await outcome({ insecure: false, ...pair() })).toMatch(/certificate/i)
    expect(await outcome({ insecure: false, ca: at("ca.pem") })).not.toContain("not found")
    expect(await outcome({ ca: at("missing.pem") })).toContain(`Cannot read "${at("missing.pem")}"`)
  })
})
