// The client of other registries: OCI Distribution 1.1 and Docker's v2 API. What a registry answers was written by
// somebody else: manifests and blobs leave this folder only when their digest fits, and nothing is read without a bound.
import type { Digest } from "../oci/digest.ts"
import type { Descriptor } from "../oci/manifest.ts"
import type { Reference } from "../oci/reference.ts"
import type { Credentials } from "./credentials.ts"
import type { RateLimit } from "./rate-limit.ts"

export type FetchedManifest = {
  readonly mediaType: string
  readonly digest: Digest
  readonly bytes: Uint8Array
}

/** A blob's beginning that is here already: the stream starts behind it, and is verified together with it. */
export type BlobStart = { readonly offset: number; readonly hasher: Bun.CryptoHasher }

/** Bytes of a blob from `from` up to, and without, `to`. */
export type BlobPart = { readonly from: number; readonly to: number }

export type UploadSource = {
  /** Called again where the upload has to begin anew. */
  readonly bytes: () => AsyncIterable<Uint8Array>
  /** Known before the first byte: the upload is then one request with a length. */
  readonly known?: { readonly digest: Digest; readonly size: number }
  /** What the bytes are hoped to be: anything else is thrown as invalid, and the registry keeps nothing of it. */
  readonly expect?: { readonly digest: Digest; readonly size: number }
}

export type Uploaded = { readonly digest: Digest; readonly size: number }

type Options = { readonly signal: AbortSignal }

/** One repository of one registry, as one user sees it. `reference` is a tag or a digest. */
export interface Repository {
  /** The digest behind a name, without its bytes; undefined where the registry does not tell. */
  head(reference: string, options: Options): Promise<Digest | undefined>
  /** Throws not-found, in Docker's words, where there is none. */
  manifest(reference: string, options: Options): Promise<FetchedManifest>
  /**
   * The blob's bytes from `start` on. A connection that breaks or stalls is taken up again where it stopped; at the end
   * the digest is compared, and a mismatch thrown.
   */
  blob(
    blob: Pick<Descriptor, "digest" | "size">,
    options: Options & { readonly start?: BlobStart },
  ): AsyncIterable<Uint8Array>
  /**
   * A part of the blob, taken up again where a connection breaks; what is in it nobody has verified. Throws NoPartsError
   * where the registry sends something else than the part.
   */
  part(blob: Pick<Descriptor, "digest" | "size">, options: Options & BlobPart): AsyncIterable<Uint8Array>
  hasBlob(digest: Digest, options: Options): Promise<boolean>
  /** Takes a blob over from another repository of the same registry; false where the registry would not. */
  mount(digest: Digest, from: string, options: Options): Promise<boolean>
  upload(source: UploadSource, options: Options): Promise<Uploaded>
  putManifest(
    reference: string,
    manifest: Pick<FetchedManifest, "mediaType" | "bytes">,
    options: Options,
  ): Promise<Digest>
  /** A manifest with a subject, by its digest: afterwards the registry lists it, or a tag does. */
  putReferrer(manifest: Pick<FetchedManifest, "mediaType" | "bytes">, options: Options): Promise<void>
  tags(options: Options): Promise<readonly string[]>
  /** What refers to a manifest: signatures, attestations. Empty where the registry has no such list. */
  referrers(digest: Digest, options: Options & { readonly artifactType?: string }): Promise<readonly Descriptor[]>
}

export type Login = Options & {
  /** A host, or an address of which only the host counts. */
  readonly server: string
  readonly credentials: Credentials
}

export type FoundRepository = {
  /** As it can be pulled, where the registry does not say it otherwise. */
  readonly name: string
  readonly description: string
  readonly stars: number
  readonly isOfficial: boolean
}

export type Search = Options & {
  readonly server: string
  /** Empty for all. */
  readonly term: string
  readonly limit: number
  readonly credentials?: Credentials
}

export interface Registries {
  /**
   * Shows a registry who the user is; resolves with the identity token that stands for the password from now on, where it
   * gives one. Throws unauthorized when it does not know the user.
   */
  login(login: Login): Promise<string | undefined>
  /** Repositories whose names, or what is said of them, have to do with a word. */
  search(search: Search): Promise<readonly FoundRepository[]>
  /** For pulling, mirrors are asked first; what is pushed goes to the registry itself. Throws forbidden when blocked. */
  repository(
    name: Pick<Reference, "domain" | "path">,
    options: {
      readonly access: "pull" | "push"
      readonly credentials?: Credentials
      /** As the settings may say of a host: certificates need not verify, and plain HTTP will do. */
      readonly insecure?: boolean
      /** Bounds the bytes of blobs, both ways; one for all repositories of an operation. */
      readonly limit?: RateLimit
    },
  ): Repository
}
