// A question before something is deleted for good; anything but "y" is no.
import { writeAll } from "./output.ts"
import { readDescriptor } from "./terminal/descriptors.ts"

export async function confirm(warning: string): Promise<boolean> {
  writeAll(1, `${warning}\nAre you sure you want to continue? [y/N] `)
  let answer = ""
  for await (const chunk of readDescriptor(0)) {
    answer += Buffer.from(chunk).toString()
    if (answer.includes("\n")) break
  }
  return answer.split("\n")[0]!.trim().toLowerCase() === "y"
}
