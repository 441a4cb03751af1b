// /etc/resolv.conf of a container whose names our resolver answers: it is the only server, and the comments say whom it
// asks in turn and where each part is from, in the form that tools of Docker's world read.

export type ResolverConf = {
  /** The resolver's own address. */
  readonly nameservers: readonly string[]
  /** The host's file, taken apart. */
  readonly host: {
    readonly nameservers: readonly string[]
    readonly search: readonly string[]
    readonly options: readonly string[]
    readonly other: readonly string[]
  }
  /** Its path. */
  readonly source: string
  /** What the user, or else the configuration, asked for; empty: as on the host. */
  readonly dns: readonly string[]
  readonly dnsSearch: readonly string[]
  readonly dnsOptions: readonly string[]
}

const HEADER = `# Written by dhow.
# What is changed here stays until the container starts again.
`
/** A name without a dot is asked as it is, before a search domain is added. */
const NDOTS = "ndots:0"

export function resolverConf({ nameservers, host, source, dns, dnsSearch, dnsOptions }: ResolverConf): string {
  const search = dnsSearch.length > 0 ? dnsSearch.filter((domain) => domain !== ".") : host.search
  const asked = (dnsOptions.length > 0 ? dnsOptions : host.options).filter(isSound)
  const setsNdots = asked.some((option) => option.startsWith("ndots:"))
  const options = setsNdots ? asked : [...asked, NDOTS]
  const servers = dns.length > 0 ? dns : host.nameservers.map((address) => `host(${address})`)
  const overrides = [
    ...(dns.length > 0 ? ["nameservers"] : []),
    ...(dnsSearch.length > 0 ? ["search"] : []),
    ...(dnsOptions.length > 0 ? ["options"] : []),
  ]
  const lines = [
    HEADER,
    ...nameservers.map((address) => `nameserver ${address}`),
    ...(search.length > 0 ? [`search ${search.join(" ")}`] : []),
    `options ${options.join(" ")}`,
    ...host.other,
    "",
    `# Based on host file: '${source}' (internal resolver)`,
    servers.length > 0 ? `# ExtServers: [${servers.join(" ")}]` : "# NO EXTERNAL NAMESERVERS DEFINED",
    `# Overrides: [${overrides.join(" ")}]`,
    `# Option ndots from: ${!setsNdots ? "internal" : dnsOptions.length > 0 ? "override" : "host"}`,
  ]
  return lines.map((line) => `${line}\n`).join("")
}

/** An ndots that is no number would leave the library's own default. */
function isSound(option: string): boolean {
  return !option.startsWith("ndots:") || /^ndots:\d+$/.test(option)
}

/** Whether a name without a dot is to be looked for under a search domain only: somebody chose the number of dots. */
export function choosesNdots(options: readonly string[]): boolean {
  return options.some((option) => option.split(":")[0] === "ndots")
}
