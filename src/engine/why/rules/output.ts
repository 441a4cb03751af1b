// What programs write when the world around them is not as they need it: their last lines, with the facts that tell the
// reason from the many that a line alone could have.
import type { Fix } from "../../../wire/why.ts"
import { again, type Ended, type Facts, linesOf, type Rule } from "../facts.ts"
import { quoted, word } from "../words.ts"

type Known = {
  readonly code: string
  readonly pattern: RegExp
  readonly what: (found: RegExpExecArray, facts: Ended) => string
  readonly evidence?: (facts: Ended) => string[]
  readonly fixes: (facts: Ended, found: RegExpExecArray) => Fix[]
}

const network = ({ last }: Ended): string[] => [`Its network: ${last.Settings.NetworkMode}`]

const KNOWN: readonly Known[] = [
  {
    code: "missing-library",
    pattern:
      /error while loading shared libraries: (\S+?): cannot open shared object|Error loading shared library (\S+?):|lib\S+: cannot open shared object file/,
    what: (found) => `The image lacks the library ${found[1] ?? found[2] ?? "that it names"}`,
    fixes: (facts, found) => [
      {
        Text: "See all that are missing",
        Command: `dhow run --rm --entrypoint ldd ${word(facts.image)} ${word(facts.last.Command[0] ?? "")}`,
      },
      {
        Text: "Find the package that has it, on a Debian system with apt-file",
        Command: `apt-file search ${word(found[1] ?? found[2] ?? "LIBRARY")}`,
      },
    ],
  },
  {
    code: "library-version",
    pattern: /version `?'?(GLIBC(?:XX)?_[\d.]+)'? not found/,
    what: ([, version]) => `The program needs ${version}, which is newer than the image's C library`,
    fixes: () => [{ Text: "Build it in an image of the same release, or use a newer base image" }],
  },
  {
    code: "line-ends",
    pattern:
      /\r['"]?: (?:No such file|not found|command not found)|bad interpreter|\$'\\r'|set: (?:illegal|invalid) option|: not found\r/i,
    what: () => "A script has line ends of Windows, or names an interpreter that the image has not",
    fixes: () => [{ Text: "Convert it before it is copied into the image", Command: "sed -i 's/\\r$//' SCRIPT" }],
  },
  {
    code: "architecture",
    pattern: /(?:exec format error|cannot execute binary file)/i,
    what: () => "A program that it calls is built for another processor",
    fixes: () => [{ Text: "Let other processors be emulated", Command: "dhow platform install" }],
  },
  {
    code: "address-in-use",
    pattern: /(?:address already in use|EADDRINUSE)(?:.*?:(\d{2,5})\b)?/i,
    what: ([, port], { last }) =>
      last.Settings.NetworkMode === "host"
        ? `Port ${port ?? "that it wants"} is taken on this host, whose network it shares`
        : `Port ${port ?? "that it wants"} is taken inside the container: it is started twice, or an earlier one still runs`,
    evidence: network,
    fixes: (facts, [, port]) =>
      facts.last.Settings.NetworkMode === "host"
        ? [
            { Text: "See who has it", Command: `ss -ltnp${port === undefined ? "" : ` 'sport = :${port}'`}` },
            { Text: "Give it a network of its own", Command: again(facts, "--network bridge") },
          ]
        : [],
  },
  {
    code: "low-port",
    pattern: /(?:bind|listen).*permission denied|permission denied.*(?:bind|listen)/i,
    what: () => "It may not listen on a port below 1024",
    fixes: (facts) => [
      {
        Text: "Let users other than root have low ports",
        Command: again(facts, "--sysctl net.ipv4.ip_unprivileged_port_start=0"),
      },
      { Text: "Or listen on a port above 1023, and publish that as the low one" },
    ],
  },
  {
    code: "name-resolution",
    pattern:
      /temporary failure in name resolution|name or service not known|could not resolve host:? ?(\S*)|getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ?(\S*)|bad address '(\S+?)'|lookup (\S+?)(?: on \S+)?: (?:no such host|server misbehaving|i\/o timeout)|nodename nor servname|unknown host/i,
    what: (found) => {
      const name = found.slice(1).find((text) => text !== undefined && text !== "")
      return `A name could not be resolved${name === undefined ? "" : `: ${quoted(name)}`}`
    },
    evidence: network,
    fixes: (facts) =>
      facts.last.Settings.NetworkMode === "none"
        ? [{ Text: "It has no network: give it one", Command: again(facts, "--network bridge") }]
        : [
            {
              Text: "See which servers it asks",
              Command: `dhow run --rm --network ${word(facts.last.Settings.NetworkMode)} ${word(facts.image)} cat /etc/resolv.conf`,
            },
            { Text: "Name a server that answers", Command: again(facts, "--dns ADDRESS") },
            { Text: "Names of other containers are known on user-defined networks only, not on the default one" },
          ],
  },
  {
    code: "connection-refused",
    pattern: /connection refused|ECONNREFUSED ?(\S*)/i,
    what: ([, to]) => `Nobody listens where it wanted to connect${to ? `: ${to}` : ""}`,
    evidence: network,
    fixes: (facts) => [
      {
        Text: "localhost inside a container is the container itself; the host is host.docker.internal with",
        Command: again(facts, "--add-host host.docker.internal:host-gateway"),
      },
      {
        Text: "Start what it needs first, and wait until that is healthy",
        Command: again(facts, "--requires NAME:healthy"),
      },
    ],
  },
  {
    code: "certificate",
    pattern:
      /certificate verify failed|x509: certificate|unable to get local issuer certificate|SSL certificate problem/i,
    what: () => "It does not trust the certificate of whom it connected to",
    fixes: (facts) => [
      { Text: "Give it this host's authorities", Command: again(facts, "-v /etc/ssl/certs:/etc/ssl/certs:ro") },
    ],
  },
  {
    code: "no-such-command",
    pattern: /(?:^|: )(?:line \d+: )?(\S+): (?:command )?not found/,
    what: ([, name]) => `A script calls "${name}", which the image has not`,
    fixes: ({ image }) => [{ Text: "See what the image has", Command: `dhow image files ${word(image)} /usr/bin` }],
  },
]

/** Lines are asked from the last one on: what came last is mostly what it ended of. */
export const output: Rule<Ended> = (facts) => {
  for (const { Text } of linesOf(facts).toReversed())
    for (const { code, pattern, what, evidence, fixes } of KNOWN) {
      const found = pattern.exec(Text)
      if (found === null || (code === "no-such-command" && facts.last.ExitCode !== 127)) continue
      return {
        Code: code,
        What: what(found, facts),
        Evidence: [`It wrote ${quoted(Text)}`, ...(evidence?.(facts) ?? [])],
        Fixes: fixes(facts, found),
      }
    }
  return undefined
}

/** The last line that matches, as evidence. */
export function lineWith(facts: Facts, pattern: RegExp): string | undefined {
  const found = linesOf(facts).findLast(({ Text }) => pattern.test(Text))
  return found === undefined ? undefined : `It wrote ${quoted(found.Text)}`
}
