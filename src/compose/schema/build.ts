// services.*.build

import { mountedKey, wordKey } from "../keys.ts"
import { absolute, buildContext, bytes, flag, text, word } from "../leaves.ts"
import { scalar } from "../node.ts"
import { type LeafShape, list, map, object } from "../shape.ts"
import { longHosts, longKeys, short } from "../short.ts"
import { environment, oneOrMore, pairs, set, texts } from "./common.ts"
import { fileMount, ulimits } from "./mounts.ts"

/** "default", or "id=path of a key or an agent's socket". */
const sshKey: LeafShape = {
  kind: "leaf",
  what: 'an SSH key as "id=path"',
  convert(value, setting) {
    const [id = "", path] = String(value).split("=", 2)
    return path === undefined ? id : `${id}=${absolute(path, setting)}`
  },
}

export const build = object(
  {
    context: buildContext,
    dockerfile: text,
    dockerfile_inline: text,
    entitlements: texts,
    args: environment,
    provenance: word,
    sbom: word,
    ssh: list(sshKey, { from: longKeys, key: wordKey }),
    labels: pairs,
    cache_from: texts,
    cache_to: texts,
    no_cache: flag,
    no_cache_filter: oneOrMore,
    additional_contexts: map(buildContext, { pairs: true }),
    pull: flag,
    extra_hosts: list(text, { from: longHosts, key: (node) => (node.kind === "scalar" ? String(node.value) : "") }),
    isolation: text,
    network: text,
    target: text,
    secrets: list(fileMount, { key: mountedKey("/run/secrets") }),
    shm_size: bytes,
    tags: set,
    ulimits,
    platforms: texts,
    privileged: flag,
  },
  {
    short: short("context"),
    defaults(fields, node) {
      if (!fields.has("context")) fields.set("context", scalar(".", node.place))
      if (!fields.has("dockerfile") && !fields.has("dockerfile_inline"))
        fields.set("dockerfile", scalar("Dockerfile", node.place))
    },
  },
)
