// Digests as the OCI image specification writes them; sha256 only.
import { DhowError } from "../lib/errors.ts"

export type Digest = `sha256:${string}` & { readonly __brand: "Digest" }

const PATTERN = /^sha256:[0-9a-f]{64}$/

export function isDigest(text: string): text is Digest {
  return PATTERN.test(text)
}

export function parseDigest(text: string): Digest {
  if (!isDigest(text)) throw new DhowError("invalid", `Digest "${text}" is not sha256 and 64 hex digits`)
  return text
}

export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${new Bun.CryptoHasher("sha256").update(bytes).digest("hex")}` as Digest
}

export function hexOf(digest: Digest): string {
  return digest.slice("sha256:".length)
}

/** The chain id of a stack of layers, lowest first (OCI image-spec config.md, "Layer ChainID"). */
export function chainIdOf(diffIds: readonly Digest[]): Digest {
  let chain = diffIds[0]
  if (chain === undefined) throw new DhowError("invalid", "An image without layers has no chain id")
  for (const diffId of diffIds.slice(1)) chain = digestOf(`${chain} ${diffId}`)
  return chain
}
