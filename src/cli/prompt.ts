// Questions: before something is deleted for good anything but "y" is no.
import { writeAll } from "./output.ts"
import { readDescriptor } from "./terminal/descriptors.ts"

export async function confirm(warning: string): Promise<boolean> {
  return (await ask(`${warning}\nAre you sure you want to continue? [y/N] `)) === "y"
}

/** The line that is typed, without blanks and in small letters; "" at the end of the input. */
export async function ask(question: string): Promise<string> {
  writeAll(1, question)
  let answer = ""
  for await (const chunk of readDescriptor(0)) {
    answer += Buffer.from(chunk).toString()
    if (answer.includes("\n")) break
  }
  return answer.split("\n")[0]!.trim().toLowerCase()
}
