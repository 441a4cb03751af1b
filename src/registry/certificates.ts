// TLS of one host: what the settings name, or what lies in Docker's places (certs.d/<host>/*.crt are authorities,
// *.cert with *.key a client's pair). Read for each session, so that a renewed certificate needs no restart.
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { rootCertificates } from "node:tls"
import { DhowError, errnoName } from "../lib/errors.ts"
import type { Endpoint } from "./endpoints.ts"

export type Tls = {
  readonly rejectUnauthorized: boolean
  readonly ca?: readonly string[]
  readonly cert?: string
  readonly key?: string
}

export function tlsFor(endpoint: Endpoint, directories: readonly string[]): Tls {
  const { ca, cert, key } = { ...fromDirectories(endpoint.host, directories), ...readFiles(endpoint) }
  return {
    rejectUnauthorized: endpoint.verify,
    // A list of one's own replaces the usual authorities: a host may still have a certificate of theirs.
    ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  }
}

type Files = { ca?: string; cert?: string; key?: string }

function readFiles({ host, tls }: Endpoint): Files {
  const files: Files = {}
  for (const name of ["ca", "cert", "key"] as const) {
    const path = tls[name]
    if (path === undefined) continue
    try {
      files[name] = readFileSync(path, "utf8")
    } catch (cause) {
      throw new DhowError("invalid", `Cannot read "${path}", the ${name} of registry "${host}"`, { cause })
    }
  }
  return files
}

function fromDirectories(host: string, directories: readonly string[]): Files {
  for (const directory of directories.map((parent) => join(parent, host))) {
    let names: string[]
    try {
      names = readdirSync(directory).sort()
    } catch (error) {
      if (errnoName(error) === "ENOENT" || errnoName(error) === "ENOTDIR") continue
      throw new DhowError("unavailable", `Cannot read the certificates in "${directory}"`, { cause: error })
    }
    const read = (name: string): string => readFileSync(join(directory, name), "utf8")
    const authorities = names.filter((name) => name.endsWith(".crt"))
    const client = names.find((name) => name.endsWith(".cert") && names.includes(name.replace(/cert$/, "key")))
    return {
      ...(authorities.length === 0 ? {} : { ca: authorities.map(read).join("\n") }),
      ...(client === undefined ? {} : { cert: read(client), key: read(client.replace(/cert$/, "key")) }),
    }
  }
  return {}
}
