// Ended by a signal that nobody sent through the engine.
import type { Fix } from "../../../wire/why.ts"
import { again, type Ended, type Rule } from "../facts.ts"
import { word } from "../words.ts"
import { wasAsked } from "./asked.ts"

type Known = { readonly code: string; readonly what: string; readonly fixes: (facts: Ended) => Fix[] }

const debug = (facts: Ended): Fix[] => [
  {
    Text: "Let it write a core file in a directory of the host",
    Command: again(facts, "--ulimit core=-1 -v $PWD/cores:/cores -w /cores"),
  },
  {
    Text: "Look whether the image is for this processor",
    Command: `dhow image inspect -f '{{.Architecture}}' ${word(facts.image)}`,
  },
]

const KNOWN: Readonly<Record<string, Known>> = {
  SIGKILL: {
    code: "killed-from-outside",
    what: "SIGKILL ended it, and neither the engine nor the kernel's out-of-memory killer sent it",
    fixes: () => [
      {
        Text: "A process of this host, or another one in the container, sent it; the kernel's log may tell",
        Command: "dmesg -T | tail",
      },
    ],
  },
  SIGTERM: {
    code: "terminated-from-outside",
    what: "SIGTERM ended it, and it was not sent through the engine: a process of this host, or of the container, did",
    fixes: () => [],
  },
  SIGINT: {
    code: "interrupted",
    what: "SIGINT ended it: ctrl-C in its terminal, or a process of the container",
    fixes: () => [],
  },
  SIGSEGV: {
    code: "segfault",
    what: "The program crashed: it touched memory that is not its own (SIGSEGV)",
    fixes: debug,
  },
  SIGBUS: {
    code: "bus-error",
    what: "The program crashed on memory that is not backed (SIGBUS): a mapped file was cut, or shared memory is full",
    fixes: (facts) => [{ Text: "Give it more shared memory", Command: again(facts, "--shm-size 1g") }, ...debug(facts)],
  },
  SIGABRT: {
    code: "aborted",
    what: "The program gave up by itself (SIGABRT): a failed assertion, or memory that it could not get",
    fixes: debug,
  },
  SIGILL: {
    code: "illegal-instruction",
    what: "The program used an instruction that this processor does not have (SIGILL)",
    fixes: (facts) => [
      { Text: "It was built for a newer processor: use an image for an older level (x86-64-v1, v2)" },
      ...debug(facts),
    ],
  },
  SIGFPE: { code: "arithmetic", what: "The program divided by zero (SIGFPE)", fixes: debug },
  SIGSYS: {
    code: "seccomp",
    what: "The seccomp filter ended it (SIGSYS): it made a system call that is not allowed",
    fixes: (facts) => [
      { Text: "See which call it was", Command: "dmesg -T | grep -i seccomp" },
      {
        Text: "Run it with a profile that allows the call",
        Command: again(facts, "--security-opt seccomp=profile.json"),
      },
    ],
  },
  SIGXCPU: {
    code: "cpu-time",
    what: "It used up its CPU time (SIGXCPU)",
    fixes: (facts) => [{ Text: "Raise the limit", Command: again(facts, "--ulimit cpu=-1") }],
  },
  SIGXFSZ: {
    code: "file-size",
    what: "It wrote a file beyond its limit (SIGXFSZ)",
    fixes: (facts) => [{ Text: "Raise the limit", Command: again(facts, "--ulimit fsize=-1") }],
  },
  SIGPIPE: { code: "broken-pipe", what: "It wrote to a pipe that nobody reads any more (SIGPIPE)", fixes: () => [] },
  SIGHUP: {
    code: "hangup",
    what: "SIGHUP ended it: its terminal went away, or a process asked it to read its settings again",
    fixes: () => [],
  },
}

export const signalled: Rule<Ended> = (facts) => {
  const { last } = facts
  if (last.Signal === undefined || last.OOMKilled || wasAsked(last)) return undefined
  const known = KNOWN[last.Signal]
  const evidence = [
    `Exit code ${last.ExitCode} stands for ${last.Signal}; a program can also choose that number itself`,
    ...(last.Seen === "afterwards" ? ["The engine was not running when it ended"] : []),
    ...(last.Limits === undefined
      ? []
      : [`Processes that the kernel killed for want of memory: ${last.Limits.OOMKills}`]),
  ]
  if (known === undefined)
    return {
      Code: "signalled",
      What: `${last.Signal} ended it, and it was not sent through the engine`,
      Evidence: evidence,
      Fixes: [],
    }
  return { Code: known.code, What: known.what, Evidence: evidence, Fixes: known.fixes(facts) }
}

/** Its monitor vanished, and with it the exit status. */
export const lost: Rule<Ended> = ({ last, name }) => {
  if (last.Seen !== "lost") return undefined
  // The code that the engine gives where it killed what was left of a container without a monitor.
  const isWitnessed = last.ExitCode === 137
  return {
    Code: "lost",
    What: isWitnessed
      ? "Its monitor (conmon) was killed, and the engine ended what nobody watched over any more"
      : "How it ended is not known: it was gone with its monitor when the engine came back",
    Evidence: [
      isWitnessed
        ? "conmon ended without an exit file"
        : "There is no exit file of it, as after a reboot, a power failure, or a kill of conmon",
    ],
    Fixes: [
      isWitnessed
        ? { Text: "See whether the kernel killed it for want of memory", Command: "dmesg -T | grep -i conmon" }
        : { Text: "See when this host came up", Command: "uptime -s" },
      { Text: "Let it come back by itself", Command: `dhow update --restart unless-stopped ${name}` },
    ],
  }
}
