// Signals by number, in the names that people use.
import { constants } from "node:os"

const NAMES = new Map(
  Object.entries(constants.signals)
    // Two names of one number: the first in signal(7) is the one people know.
    .filter(([name]) => !["SIGIOT", "SIGPOLL", "SIGUNUSED"].includes(name))
    .map(([name, number]) => [number as number, name]),
)

/** "SIGKILL" of 9; undefined for no signal. */
export function signalName(number: number): string | undefined {
  if (number >= 34 && number <= 64) return number === 34 ? "SIGRTMIN" : `SIGRTMIN+${number - 34}`
  return NAMES.get(number)
}
