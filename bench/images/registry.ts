// Debian's docker-registry on the benchmark's own loopback, with its storage in the benchmark's directory.
import { mkdirSync, openSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { end } from "../engines/engine.ts"
import { imageConfig, type Layer, writeGzip } from "./layer.ts"

const HOST = "127.0.0.1:5500"
const TYPES = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
}

export type LoopbackRegistry = {
  readonly host: string
  /** Puts an image of one layer there, under "HOST/REPOSITORY:latest". */
  publish(layer: Layer, repository: string): Promise<void>
  /** Forgets everything it holds. */
  clear(): void
  close(): Promise<void>
}

export async function openRegistry(directory: string): Promise<LoopbackRegistry | undefined> {
  const program = Bun.which("docker-registry")
  if (program === null) return undefined
  const root = join(directory, "registry")
  const storage = join(root, "storage")
  mkdirSync(storage, { recursive: true })
  const settings = {
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: storage } },
    http: { addr: HOST },
  }
  writeFileSync(join(root, "config.yml"), JSON.stringify(settings))
  const log = openSync(join(root, "log"), "a")
  const child = Bun.spawn([program, "serve", join(root, "config.yml")], { stdin: "ignore", stdout: log, stderr: log })
  const base = `http://${HOST}/v2/`
  for (
    let tries = 0;
    !(await fetch(base).then(
      ({ ok }) => ok,
      () => false,
    ));
    tries++
  ) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`No registry at ${HOST}`)
    await Bun.sleep(25)
  }

  async function put(repository: string, digest: string, body: Bun.BodyInit): Promise<void> {
    const begun = await fetch(`${base}${repository}/blobs/uploads/`, { method: "POST" })
    const at = new URL(begun.headers.get("location") ?? "", base)
    at.searchParams.set("digest", `sha256:${digest}`)
    const headers = { "Content-Type": "application/octet-stream" }
    const done = await fetch(at, { method: "PUT", body, headers })
    if (!done.ok) throw new Error(`Registry answered ${done.status} to a blob: ${await done.text()}`)
  }

  return {
    host: HOST,
    async publish(layer, repository) {
      const path = join(root, "blob")
      const blob = await writeGzip(layer, path)
      const config = imageConfig(layer)
      const configDigest = new Bun.CryptoHasher("sha256").update(config).digest("hex")
      await put(repository, blob.digest, Bun.file(path))
      await put(repository, configDigest, config as Uint8Array<ArrayBuffer>)
      const manifest = {
        schemaVersion: 2,
        mediaType: TYPES.manifest,
        config: { mediaType: TYPES.config, digest: `sha256:${configDigest}`, size: config.length },
        layers: [{ mediaType: TYPES.layer, digest: `sha256:${blob.digest}`, size: blob.size }],
      }
      const answer = await fetch(`${base}${repository}/manifests/latest`, {
        method: "PUT",
        headers: { "Content-Type": TYPES.manifest },
        body: JSON.stringify(manifest),
      })
      if (!answer.ok) throw new Error(`Registry answered ${answer.status} to a manifest: ${await answer.text()}`)
      rmSync(path)
    },
    clear() {
      rmSync(join(storage, "docker"), { recursive: true, force: true })
    },
    close: () => end(child),
  }
}
