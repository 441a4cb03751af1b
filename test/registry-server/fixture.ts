// A registry server on a loopback port of its own, over a real content store; and the requests that its tests send.
import { join } from "node:path"
import { RegistryListeners } from "../../src/api/registry/listeners.ts"
import { openRegistry, type Registry } from "../../src/engine/registry/registry.ts"
import { digestOf } from "../../src/oci/digest.ts"
import type { RegistryListener } from "../../src/wire/registry-server.ts"
import { type Fixture, internalCommand, openFixture } from "../images/fixture.ts"

export const OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
export const OCI_INDEX = "application/vnd.oci.image.index.v1+json"
export const OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
export const OCI_EMPTY = "application/vnd.oci.empty.v1+json"
const LAYER = "application/vnd.oci.image.layer.v1.tar"

export type Descriptor = { readonly mediaType: string; readonly digest: string; readonly size: number }
type Answer = Response & { readonly text: () => Promise<string> }

export class TestServer implements Disposable {
  readonly fixture: Fixture
  readonly registry: Registry
  readonly listeners: RegistryListeners
  readonly host: string
  readonly url: string
  #isOver = false

  constructor(listener: Partial<RegistryListener> = {}, fixture: Fixture = openFixture()) {
    this.fixture = fixture
    const { root, database, content, collector, registries } = fixture
    this.registry = openRegistry({
      root,
      internalCommand,
      database,
      content,
      registries,
      collect: () => collector.collect(),
    })
    this.listeners = new RegistryListeners(this.registry)
    try {
      const { address, url } = this.listeners.serve({ address: "127.0.0.1:0", ...listener })
      this.host = address
      this.url = url
    } catch (error) {
      this[Symbol.dispose]()
      throw error
    }
  }

  send(method: string, path: string, init: RequestInit & { tls?: object } = {}): Promise<Answer> {
    return fetch(path.startsWith("http") ? path : `${this.url}${path}`, { method, redirect: "manual", ...init })
  }

  /** Throws unless the status is the one expected. */
  async expect(status: number, method: string, path: string, init?: RequestInit): Promise<Answer> {
    const answer = await this.send(method, path, init)
    if (answer.status !== status) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }

  async pushBlob(name: string, bytes: Uint8Array | string, digest: string = digestOf(bytes)): Promise<Descriptor> {
    const body = Buffer.from(bytes as string)
    await this.expect(201, "POST", `/v2/${name}/blobs/uploads/?digest=${digest}`, { body })
    return { mediaType: LAYER, digest, size: body.length }
  }

  /** An image of one layer; `text` makes it differ from others. */
  async pushImage(name: string, reference: string, text: string = reference, more: object = {}): Promise<Descriptor> {
    const config = await this.pushBlob(name, JSON.stringify({ architecture: "amd64", os: "linux", text }))
    const layer = await this.pushBlob(name, `layer of ${text}`)
    return await this.pushManifest(name, reference, {
      schemaVersion: 2,
      mediaType: OCI_MANIFEST,
      config: { ...config, mediaType: OCI_CONFIG },
      layers: [layer],
      ...more,
    })
  }

  async pushManifest(name: string, reference: string, document: object, type = OCI_MANIFEST): Promise<Descriptor> {
    const body = JSON.stringify(document)
    const digest = digestOf(body)
    const at = reference === "" ? digest : reference
    await this.expect(201, "PUT", `/v2/${name}/manifests/${at}`, { body, headers: { "Content-Type": type } })
    return { mediaType: type, digest, size: body.length }
  }

  /** A further tag for what a tag points to. */
  async pushManifestAgain(name: string, from: string, to: string): Promise<void> {
    const got = await this.expect(200, "GET", `/v2/${name}/manifests/${from}`)
    const headers = { "Content-Type": got.headers.get("content-type") ?? "" }
    await this.expect(201, "PUT", `/v2/${name}/manifests/${to}`, { body: await got.text(), headers })
  }

  [Symbol.dispose](): void {
    if (this.#isOver) return
    this.#isOver = true
    this.listeners.dispose()
    this.fixture[Symbol.dispose]()
  }
}

/** The codes of an answer that says no, after its status: "404 BLOB_UNKNOWN". */
export async function refusal(answer: Response | Promise<Response>): Promise<string> {
  const { status, ...rest } = { status: (await answer).status, text: await (await answer).text() }
  const { errors } = JSON.parse(rest.text) as { errors: readonly { code: string }[] }
  return [status, ...errors.map(({ code }) => code)].join(" ")
}

export const uploadsOf = (server: TestServer): string => join(server.fixture.root, "registry/uploads")
