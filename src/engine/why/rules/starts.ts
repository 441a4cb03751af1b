// Its process never came to be: what the error of the start means, and what mends it.
import type { Fix } from "../../../wire/why.ts"
import { again, type Ended, type Rule } from "../facts.ts"
import { word } from "../words.ts"

type Known = {
  readonly code: string
  readonly pattern: RegExp
  /** From the match. */
  readonly what: (found: RegExpExecArray) => string
  readonly fixes: (facts: Ended, found: RegExpExecArray) => Fix[]
}

const look = ({ image }: Ended, path = "/"): Fix => ({
  Text: "See what the image has",
  Command: `dhow image files ${word(image)} ${word(path)}`,
})

const KNOWN: readonly Known[] = [
  {
    code: "line-ends",
    pattern: /exec:? "?([^":]*)"?: .*(?:carriage return|line ends? (?:of|in) Windows|\\r)/i,
    what: ([, path]) =>
      `The script "${path}" has line ends of Windows: the kernel looks for an interpreter whose name ends in a carriage return`,
    fixes: (_, [, path]) => [
      { Text: "Convert it before it is copied into the image", Command: `sed -i 's/\\r$//' ${word(path ?? "")}` },
      { Text: "Let git leave line ends alone: *.sh text eol=lf in .gitattributes" },
    ],
  },
  {
    code: "command-not-found",
    pattern: /exec: "(.*?)": executable file not found in \$PATH/,
    what: ([, name]) => `The image has no program "${name}" in its PATH`,
    fixes: (facts, [, name = ""]) => [
      ...(/\s/.test(name)
        ? [
            {
              Text: "Program and arguments are one word here: give them apart, or in a shell",
              Command: again(facts, `--entrypoint sh`),
            },
          ]
        : []),
      ...(name.startsWith("-") ? [{ Text: "Options go before the image's name; what follows it is the command" }] : []),
      look(facts, "/usr/bin"),
    ],
  },
  {
    code: "missing-interpreter",
    pattern: /exec "?(.*?)"?: no such file or directory: .*(?:interpreter|loader|linked)|interpreter "(.*?)"/i,
    what: () => "The program is there, but not the interpreter or loader that it names",
    fixes: (facts) => [look(facts, "/lib")],
  },
  {
    code: "bind-source-missing",
    pattern:
      /error mounting "(.*?)"(?: to rootfs at ".*?")?: stat .*no such file or directory|bind source path does not exist: (\S+)/,
    what: ([, a, b]) => `What is to be mounted is not on this host: "${a ?? b}"`,
    fixes: (_, [, a, b]) => [
      { Text: "Make it", Command: `mkdir -p ${word(a ?? b ?? "")}` },
      { Text: "With -v instead of --mount a missing directory is made" },
    ],
  },
  {
    code: "mount-kind",
    pattern: /error mounting "(.*?)" to rootfs at "(.*?)": .*not a directory/,
    what: ([, from, to]) =>
      `"${from}" and "${to}" are not of one kind: a file can only be mounted on a file, a directory on a directory`,
    fixes: (_, [, from]) => [
      {
        Text: "See what it is on the host; -v makes a directory where a file was missing",
        Command: `ls -ld ${word(from ?? "")}`,
      },
    ],
  },
  {
    code: "program-not-found",
    pattern: /exec: "(.*?)": stat .*: no such file or directory/,
    what: ([, path]) => `The image has no file "${path}"`,
    fixes: (facts, [, path = "/"]) => [
      look(facts, path.slice(0, path.lastIndexOf("/")) || "/"),
      { Text: "A mount may hide it: what is mounted over a directory replaces all that the image has there" },
    ],
  },
  {
    code: "noexec",
    pattern: /exec: "(.*?)": permission denied: "(.*?)" is mounted noexec/,
    what: ([, path, mount]) => `"${path}" lies on "${mount}", which is mounted without the right to execute`,
    fixes: (facts, [, , mount]) => [
      { Text: "Mount it with exec", Command: again(facts, `--tmpfs ${word(`${mount}:exec`)}`) },
    ],
  },
  {
    code: "not-executable",
    pattern: /exec: "(.*?)": permission denied/,
    what: ([, path]) => `"${path}" may not be executed: its mode lacks x, or it is a directory`,
    fixes: (facts, [, path]) => [
      { Text: "Give it the right in the Dockerfile", Command: `RUN chmod +x ${word(path ?? "")}` },
      { Text: "A script can also be given to its interpreter", Command: again(facts, `--entrypoint sh`) },
    ],
  },
  {
    code: "architecture",
    pattern: /exec format error: (.*)/,
    what: ([, why]) => `It is built for another processor: ${why}`,
    fixes: ({ image }) => [
      { Text: "Let other processors be emulated", Command: "dhow platform install" },
      { Text: "Or take the image of this one", Command: `dhow pull ${word(image)}` },
    ],
  },
  {
    code: "working-directory",
    pattern: /cannot enter the working directory "(.*?)": (.*)/,
    what: ([, path, why]) => `Its working directory "${path}" cannot be entered: ${why}`,
    fixes: (facts) => [{ Text: "Name another one", Command: again(facts, "--workdir /") }],
  },
  {
    code: "port-in-use",
    pattern:
      /(?:Bind for|listen \w+4?) (\S+?):(\d+)[: ].*(?:already allocated|already in use)|failed to bind host port for ([\d.]+):(\d+)/,
    what: (found) => `Port ${found[2] ?? found[4]} of this host is taken`,
    fixes: (facts, found) => {
      const holder = /Container ([0-9a-f]{12}) publishes it/.exec(facts.last.Error)?.[1]
      return [
        { Text: "See who has it", Command: `ss -ltnp 'sport = :${found[2] ?? found[4]}'` },
        ...(holder === undefined
          ? []
          : [{ Text: "A container publishes it", Command: `dhow ps --filter id=${holder}` }]),
        {
          Text: "Publish another port, or any that is free",
          Command: again(facts, `-p 127.0.0.1::${(facts.last.Settings.Ports[0] ?? "80/tcp").split("/")[0]}`),
        },
      ]
    },
  },
  {
    code: "unknown-user",
    pattern: /unable to find (user|group) (\S+?):/i,
    what: ([, kind, name]) => `The image knows no ${kind} "${name}"`,
    fixes: (facts) => [{ Text: "Give numbers, which need no entry", Command: again(facts, "--user 1000:1000") }],
  },
  {
    code: "requirement",
    pattern: /requires? container "?(.*?)"?[:,] (.*)/,
    what: ([, name, why]) => `It needs container "${name}" first: ${why}`,
    fixes: (_, [, name]) => [{ Text: "See what is wrong with that one", Command: `dhow why ${word(name ?? "")}` }],
  },
  {
    code: "donor-not-running",
    pattern:
      /cannot join network namespace of a non running container|failed to join (?:IPC|PID) namespace: container ([^\s:]+)|non.running container/i,
    what: () => "It shares a namespace of another container, which does not run",
    fixes: (facts) => [
      {
        Text: "Start that one first",
        Command: `dhow start ${facts.last.Settings.NetworkMode.replace(/^container:/, "").slice(0, 12)}`,
      },
    ],
  },
  {
    code: "open-files",
    pattern: /too many open files/i,
    what: () => "It may not even open the files that a start needs: its limit of open files is too low",
    fixes: (facts) => [{ Text: "Allow more", Command: again(facts, "--ulimit nofile=1024:65536") }],
  },
  {
    code: "disk-full",
    pattern: /no space left on device|SQLITE_FULL|disk (?:is )?full|Free some space/i,
    what: () => "The disk of the engine is full",
    fixes: () => [
      { Text: "See what holds how much", Command: "dhow system df" },
      { Text: "Remove what nobody uses", Command: "dhow system prune" },
    ],
  },
]

export const notStarted: Rule<Ended> = (facts) => {
  const { last } = facts
  if (last.Started) return undefined
  for (const { code, pattern, what, fixes } of KNOWN) {
    const found = pattern.exec(last.Error)
    if (found !== null) return { Code: code, What: what(found), Evidence: [last.Error], Fixes: fixes(facts, found) }
  }
  return { Code: "start-failed", What: "It could not be started", Evidence: [last.Error], Fixes: [] }
}

export const neverStarted: Rule = ({ status, last, name }) =>
  status !== "created" || last !== undefined
    ? undefined
    : {
        Code: "never-started",
        What: "It was created, and nobody has started it",
        Evidence: [],
        Fixes: [{ Text: "Start it", Command: `dhow start -a ${name}` }],
      }
