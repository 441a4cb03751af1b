// dhow registry serve: has the daemon serve a registry on an address, from now on.
import { resolve } from "node:path"
import { serveRegistry } from "../../client/registry-server.ts"
import type { RegistryListener, RegistryProxy } from "../../wire/registry-server.ts"
import { defineCommand } from "../command.ts"
import { boolean, list, string } from "../flags/flags.ts"
import { UsageError } from "../flags/parse.ts"
import { print } from "../output.ts"

const DEFAULT_ADDRESS = "127.0.0.1:5000"

export const serve = defineCommand({
  usage: "[OPTIONS] [ADDRESS]",
  summary: `Serve a registry on ADDRESS (${DEFAULT_ADDRESS}) until it is stopped`,
  flags: {
    "anonymous-pull": boolean("", "Let pull whoever has no password"),
    htpasswd: string("", "File of users and bcrypt hashes, as htpasswd -B makes it", { value: "file" }),
    insecure: boolean("", "Serve to other machines without TLS or without passwords"),
    "local-images": boolean("", "Serve the images of this machine as well", { default: "true" }),
    proxy: list("", "Fetch what is asked for under a prefix from another registry, and keep it", {
      value: "[prefix=]registry[/path]",
    }),
    "read-only": boolean("", "Refuse pushing and deleting"),
    "tls-cert": string("", "Certificate, with what signed it, in PEM", { value: "file" }),
    "tls-key": string("", "Its key, in PEM", { value: "file" }),
  } as const,
  args: [0, 1],
  examples: [
    "dhow registry serve",
    "dhow registry serve 127.0.0.1:0    # any free port",
    "dhow registry serve --proxy hub=docker.io --read-only",
    "dhow registry serve :443 --tls-cert c --tls-key k --htpasswd users",
  ],
  async run({ client }, flags, [address = DEFAULT_ADDRESS]) {
    const { "tls-cert": cert, "tls-key": key, htpasswd } = flags
    if ((cert === undefined) !== (key === undefined)) throw new UsageError("--tls-cert and --tls-key go together")
    const listener: RegistryListener = {
      address,
      ...(cert === undefined || key === undefined ? {} : { tls: { cert: resolve(cert), key: resolve(key) } }),
      ...(htpasswd === undefined ? {} : { htpasswd: resolve(htpasswd) }),
      ...(flags["anonymous-pull"] === undefined ? {} : { anonymousPull: flags["anonymous-pull"] }),
      ...(flags["read-only"] === undefined ? {} : { readOnly: flags["read-only"] }),
      ...(flags.insecure === undefined ? {} : { insecure: flags.insecure }),
      ...(flags["local-images"] === undefined ? {} : { localImages: flags["local-images"] }),
      ...(flags.proxy.length === 0 ? {} : { proxies: flags.proxy.map(parseProxy) }),
    }
    print((await serveRegistry(client, listener)).url)
    return 0
  },
})

function parseProxy(text: string): RegistryProxy {
  const equals = text.indexOf("=")
  return { prefix: equals < 0 ? "" : text.slice(0, equals), upstream: text.slice(equals + 1) }
}
