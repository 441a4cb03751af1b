// One verb over several objects: each success prints its name, each failure one line; the rest still gets its turn.
import { printFailure } from "./failure.ts"
import { print } from "./output.ts"

/** Returns the exit status. All run at once; lines come in the order given. */
export async function forEachName(
  names: readonly string[],
  act: (name: string) => Promise<string | undefined>,
  onFailure: (error: unknown) => void = printFailure,
): Promise<number> {
  let status = 0
  const outcomes = names.map((name) =>
    act(name).then(
      (line) => ({ line }),
      (error: unknown) => ({ error }),
    ),
  )
  for (const pending of outcomes) {
    const outcome = await pending
    if ("error" in outcome) {
      onFailure(outcome.error)
      status = 1
    } else if (outcome.line !== undefined) print(outcome.line)
  }
  return status
}
