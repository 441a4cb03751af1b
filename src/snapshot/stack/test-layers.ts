// Layers for tests: tars made from short descriptions, in a directory that goes with the test.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { type TarInput, writeTar } from "../../lib/tar/writer.ts"

export class TestLayers implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), "dhow-stack-"))
  #count = 0

  path(): string {
    return join(this.directory, `${this.#count++}.tar`)
  }

  /** Path of the layer's tar. */
  async layer(...entries: readonly TarInput[]): Promise<string> {
    const path = this.path()
    writeFileSync(path, Buffer.concat(await Array.fromAsync(writeTar(entries))))
    return path
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true })
  }
}

export function file(path: string, content = path, more: Partial<TarInput> = {}): TarInput {
  return { path, type: "file", content: Buffer.from(content), ...more }
}

export function directory(path: string, mode = 0o755): TarInput {
  return { path, type: "directory", mode }
}

export function gone(path: string): TarInput {
  return { path: path.replace(/[^/]+$/, ".wh.$&"), type: "file", mode: 0 }
}

export function opaque(path: string): TarInput {
  return { path: `${path}/.wh..wh..opq`, type: "file", mode: 0 }
}

export function link(path: string, linkPath: string): TarInput {
  return { path, type: "hardlink", linkPath }
}
