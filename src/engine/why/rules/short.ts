// Runs that are over at once: nothing to do without a terminal, a program that went to the background, a loop of restarts.
import { posix } from "node:path"
import { type Ended, linesOf, type Rule } from "../facts.ts"
import { span, word } from "../words.ts"

const SHORT = 3e9
const LOOP = 3
/** Programs that read their commands from standard input. */
const READERS =
  /^(?:-?(?:ba|da|a|z|k|c|tc|fi)?sh|python[\d.]*|node|irb|ruby|perl|php|psql|mysql|bc|ghci|R|julia|lua|sqlite3|cat)$/

export const noInput: Rule<Ended> = (facts) => {
  const { last } = facts
  const { Command: command, Settings: settings } = last
  const program = posix.basename(command[0] ?? "")
  const isAlone = command.length === 1 || command.slice(1).every((word) => /^-[il]+$/.test(word))
  if (last.ExitCode !== 0 || settings.OpenStdin || !isAlone || !READERS.test(program)) return undefined
  return {
    Code: "no-input",
    What: `Its program, ${program}, reads from standard input, which was empty: there was nothing to do`,
    Evidence: [`It ended with 0 after ${span(last.Usage?.WallTime ?? 0)}`, "It was run without -i"],
    Fixes: [
      { Text: "For a shell in your terminal", Command: `dhow run --rm -it ${word(facts.image)}` },
      { Text: "To keep it running, for dhow exec", Command: `dhow run -d ${word(facts.image)} sleep infinity` },
    ],
  }
}

export const wentToBackground: Rule<Ended> = (facts) => {
  const { last } = facts
  const wall = last.Usage?.WallTime ?? Number.POSITIVE_INFINITY
  const text = last.Command.join(" ")
  const starts =
    /\b(?:service \S+ start|systemctl start|\S+ctl start|nginx|apache2|httpd|sshd|mysqld_safe|redis-server|crond?)\b/.exec(
      text,
    )
  if (last.ExitCode !== 0 || wall > SHORT || starts === null) return undefined
  return {
    Code: "background",
    What: "Its program went to the background and the first process ended: with that the container is over",
    Evidence: [`${JSON.stringify(text)} ended with 0 after ${span(wall)}`],
    Fixes: [
      {
        Text: "Keep it in the foreground: nginx -g 'daemon off;', apachectl -D FOREGROUND, sshd -D, redis-server --daemonize no",
      },
    ],
  }
}

export const restartLoop: Rule<Ended> = (facts) => {
  const { last, earlier, name } = facts
  const short = [last, ...earlier].filter(({ Started, Usage }) => Started && (Usage?.WallTime ?? 0) < 10e9)
  if (last.Settings.RestartPolicy === "no" || last.RestartCount < LOOP || short.length < LOOP) return undefined
  const codes = [...new Set(short.map(({ ExitCode }) => ExitCode))].join(", ")
  return {
    Code: "restart-loop",
    What: `It ends and is started again, over and over: ${last.RestartCount} times by now`,
    Evidence: [
      `Policy "${last.Settings.RestartPolicy}"; it ended with ${codes} after ${span(last.Usage?.WallTime ?? 0)}`,
    ],
    Fixes: [
      { Text: "Stop the loop", Command: `dhow stop ${name}` },
      { Text: "Look at it at rest", Command: `dhow run --rm -it --entrypoint sh ${word(facts.image)}` },
      { Text: "Let it give up after some tries", Command: `dhow update --restart on-failure:5 ${name}` },
    ],
  }
}

/** Nothing else explains it: the program decided. */
export const byItself: Rule<Ended> = (facts) => {
  const { last, name } = facts
  if (!last.Started) return undefined
  const lines = linesOf(facts)
  const after = last.Usage?.WallTime === undefined ? "" : ` after ${span(last.Usage.WallTime)}`
  if (last.ExitCode === 0)
    return {
      Code: "done",
      What: `Its program ended by itself${after}, without an error`,
      Evidence: [],
      Fixes:
        last.Settings.AutoRemove || facts.status === "removed"
          ? []
          : [{ Text: "Run it again", Command: `dhow start -a ${name}` }],
    }
  const meaning = MEANINGS[last.ExitCode]
  return {
    Code: last.ExitCode === 127 ? "command-not-found" : last.ExitCode === 126 ? "not-executable" : "program-failed",
    What: `Its program ended by itself${after} with ${last.ExitCode}${meaning === undefined ? "" : `: ${meaning}`}`,
    Evidence: lines.length === 0 ? ["It wrote nothing"] : [],
    Fixes: [
      ...(facts.status === "removed" ? [] : [{ Text: "See all that it wrote", Command: `dhow logs ${name}` }]),
      { Text: "Look around in the image", Command: `dhow run --rm -it --entrypoint sh ${word(facts.image)}` },
    ],
  }
}

const MEANINGS: Readonly<Record<number, string>> = {
  1: "a failure of its own kind, see its last lines",
  2: "mostly wrong arguments",
  126: "a command that a shell called may not be executed",
  127: "a command that a shell called was not found",
  255: "a failure of its own kind",
}
