// dhow registry ls: the repositories that were pushed to or fetched, or the tags of some.
import { listRepositories, listTags } from "../../client/registry-server.ts"
import type { RegistryRepository, RegistryTag } from "../../wire/registry-server.ts"
import { defineCommand } from "../command.ts"
import { boolean, string } from "../flags/flags.ts"
import { humanSize, timeAgo } from "../render/human.ts"
import { type Columns, type Row, showRows } from "../render/rows.ts"

const REPOSITORIES: Columns = {
  headers: {
    Name: "REPOSITORY",
    Tags: "TAGS",
    Manifests: "MANIFESTS",
    Size: "SIZE",
    Pushed: "PUSHED",
    Pulled: "LAST USED",
  },
  shown: ["Name", "Tags", "Manifests", "Size", "Pushed", "Pulled"],
}
const TAGS: Columns = {
  headers: {
    Name: "REPOSITORY",
    Tag: "TAG",
    Digest: "DIGEST",
    MediaType: "MEDIA TYPE",
    Platforms: "PLATFORMS",
    Size: "SIZE",
    Pushed: "PUSHED",
    Pulled: "LAST USED",
  },
  shown: ["Name", "Tag", "Digest", "Platforms", "Size", "Pushed", "Pulled"],
}

export const list = defineCommand({
  usage: "[OPTIONS] [REPOSITORY...]",
  summary: "List what was pushed to the registry, or the tags of repositories",
  flags: {
    format: string("", "Print each with a Go template, or 'table', 'json'"),
    "no-trunc": boolean("", "Show whole digests"),
    quiet: boolean("q", "Only print names"),
  } as const,
  args: [0, Number.POSITIVE_INFINITY],
  examples: ["dhow registry ls", "dhow registry ls team/app", "dhow registry ls --format json"],
  async run({ client }, flags, names) {
    const format = flags.format ?? ""
    const truncate = flags["no-trunc"] !== true && format === ""
    const quiet = (field: string): string | undefined => (flags.quiet === true ? field : undefined)
    if (names.length === 0) {
      const rows = (await listRepositories(client)).map(repositoryRow)
      await showRows(rows, { columns: REPOSITORIES, format, quiet: quiet("Name") })
      return 0
    }
    const tags = await Promise.all(names.map((name) => listTags(client, name)))
    const rows = tags.flat().map((tag) => tagRow(tag, truncate))
    await showRows(rows, { columns: TAGS, format, quiet: quiet("Reference") })
    return 0
  },
})

function repositoryRow({ name, tags, manifests, size, pushedAt, pulledAt }: RegistryRepository): Row {
  return {
    Name: name,
    Tags: String(tags),
    Manifests: String(manifests),
    Size: humanSize(size),
    Pushed: ago(pushedAt),
    Pulled: ago(pulledAt),
    PushedAt: pushedAt,
    PulledAt: pulledAt,
  }
}

function tagRow(tag: RegistryTag, truncate: boolean): Row {
  return {
    Name: tag.name,
    Tag: tag.tag,
    Reference: `${tag.name}:${tag.tag}`,
    Digest: truncate ? tag.digest.slice(0, "sha256:".length + 12) : tag.digest,
    MediaType: tag.mediaType,
    Platforms: tag.platforms.join(", "),
    Size: humanSize(tag.size),
    Pushed: ago(tag.pushedAt),
    Pulled: ago(tag.pulledAt),
    PushedAt: tag.pushedAt,
    PulledAt: tag.pulledAt,
  }
}

function ago(time: string): string {
  const milliseconds = Date.parse(time)
  return milliseconds > 0 ? timeAgo(milliseconds / 1000) : "N/A"
}
