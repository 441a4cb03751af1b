// The Registries interface: a repository is its endpoints in order, mirrors before the registry itself. The last one's
// refusal is the answer, in Docker's words.
import { DhowError, isKind } from "../lib/errors.ts"
import { isDigest } from "../oci/digest.ts"
import { familiarName, familiarReference } from "../oci/reference.ts"
import { RefusedError } from "./answer-error.ts"
import { hasBlob, streamBlob, streamPart } from "./blobs.ts"
import { ConnectionError } from "./connection-error.ts"
import type { Registries, Repository } from "./contract.ts"
import { resolveEndpoints, resolveHost, resolveSearch } from "./endpoints.ts"
import { listReferrers, listTags } from "./listings.ts"
import { logIn } from "./login.ts"
import { fetchManifest, headManifest, storeManifest } from "./manifests.ts"
import { limited, type RateLimit } from "./rate-limit.ts"
import { storeReferrer } from "./referrers.ts"
import { PACE, type Pace } from "./retry.ts"
import { searchRegistry } from "./search.ts"
import { Memory, Session } from "./session.ts"
import type { RegistrySettings } from "./settings.ts"
import { mount, upload } from "./uploads.ts"

const PATIENCE = 60_000
const CERTIFICATES = ["/etc/dhow/certs.d", "/etc/docker/certs.d"]

type Name = { readonly domain: string; readonly path: string }

export function openRegistries(options: {
  /** Asked for every repository: the file may have changed. */
  readonly settings: () => RegistrySettings
  readonly pace?: Pace
  readonly patience?: number
  /** Where certificates lie by host. */
  readonly certificates?: readonly string[]
}): Registries {
  const { settings, pace = PACE, patience = PATIENCE, certificates = CERTIFICATES } = options
  const memory = new Memory()
  return {
    login: (login) => logIn(resolveHost(settings(), login.server), { ...login, pace, patience, certificates }),
    search({ server, credentials, ...asked }) {
      const shared = { memory, pace, patience, certificates, access: "pull", credentials } as const
      return searchRegistry(new Session(resolveSearch(settings(), server), shared), asked)
    },
    repository(name, { access, credentials, insecure = false, limit }) {
      const shared = { memory, pace, patience, certificates, access, credentials }
      const known = insecure ? withInsecure(settings(), name.domain) : settings()
      const sessions = resolveEndpoints(known, name, access).map((endpoint) => new Session(endpoint, shared))
      return repositoryAt(name, sessions, { access, limit })
    },
  }
}

function withInsecure(settings: RegistrySettings, host: string): RegistrySettings {
  return { ...settings, hosts: { ...settings.hosts, [host]: { ...settings.hosts?.[host], insecure: true } } }
}

function repositoryAt(
  name: Name,
  sessions: readonly Session[],
  { access, limit }: { readonly access: "pull" | "push"; readonly limit: RateLimit | undefined },
): Repository {
  const own = sessions.at(-1)!

  async function firstOf<T>(reference: string | undefined, ask: (session: Session) => Promise<T>): Promise<T> {
    for (const session of sessions)
      try {
        return await ask(session)
      } catch (error) {
        if (error instanceof ConnectionError) session.forget()
        if (session === own || isKind(error, "cancelled"))
          throw access === "pull" ? inWords(error, name, reference) : error
      }
    throw new DhowError("internal", `Repository "${name.path}" has no endpoint`)
  }

  return {
    head: (reference, options) => firstOf(reference, (session) => headManifest(session, reference, options)),
    manifest: (reference, options) => firstOf(reference, (session) => fetchManifest(session, reference, options)),
    blob: (blob, { start, signal }) => limited(streamBlob(sessions, blob, { start, signal }), limit, signal),
    part: (blob, { from, to, signal }) => limited(streamPart(sessions, blob, { from, to, signal }), limit, signal),
    hasBlob: (digest, { signal }) => firstOf(undefined, (session) => hasBlob(session, digest, signal)),
    mount: (digest, from, { signal }) => firstOf(undefined, (session) => mount(session, digest, { from, signal })),
    upload: (source, { signal }) => firstOf(undefined, (session) => upload(session, source, { limit, signal })),
    putManifest: (reference, manifest, { signal }) =>
      firstOf(reference, (session) => storeManifest(session, reference, { ...manifest, signal })),
    putReferrer: (manifest, options) => firstOf(undefined, (session) => storeReferrer(session, manifest, options)),
    tags: (options) => firstOf(undefined, (session) => listTags(session, options)),
    referrers: (digest, options) => firstOf(digest, (session) => listReferrers(session, digest, options)),
  }
}

/** The texts that Docker's users know and tools look for. */
function inWords(error: unknown, name: Name, reference: string | undefined): unknown {
  if (!(error instanceof RefusedError)) return error
  const { code, message, status } = error
  const repository = familiarName(name)
  if (code === "DENIED")
    return new DhowError(
      "not-found",
      `pull access denied for ${repository}, repository does not exist or may require 'docker login': ${message}`,
      { cause: error },
    )
  if (code === "NAME_UNKNOWN")
    return new DhowError("not-found", `repository ${repository} not found: ${message}`, { cause: error })
  if (reference !== undefined && (code === "MANIFEST_UNKNOWN" || (status === 404 && code === ""))) {
    const shown = familiarReference(isDigest(reference) ? { ...name, digest: reference } : { ...name, tag: reference })
    return new DhowError(
      "not-found",
      `manifest for ${shown} not found: ${code === "" ? "manifest unknown" : message}`,
      {
        cause: error,
      },
    )
  }
  return error
}
