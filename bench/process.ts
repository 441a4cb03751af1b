// Running a program and timing it, from just before it is spawned to its end.

export type Timed = { readonly milliseconds: number; readonly output: string }

async function finish(
  command: readonly string[],
  child: Bun.Subprocess<"ignore", "pipe" | "ignore", "pipe">,
): Promise<void> {
  const [exitCode, error] = await Promise.all([child.exited, new Response(child.stderr).text()])
  if (exitCode !== 0) throw new Error(`"${command.join(" ")}" ended with ${exitCode}: ${error.trim().slice(-800)}`)
}

/** Runs to the end, output thrown away; throws with its last words where it fails. */
export async function time(command: readonly string[]): Promise<number> {
  const began = performance.now()
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" })
  const exited = child.exited.then(() => performance.now() - began)
  await finish(command, child)
  return exited
}

/** The same, with what it wrote to standard output. */
export async function run(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  const [output] = await Promise.all([new Response(child.stdout).text(), finish(command, child)])
  return output
}

/** The same, counting the bytes of standard output; `expected` of them must come. */
export async function timeOutput(command: readonly string[], expected: number): Promise<number> {
  const began = performance.now()
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "pipe" })
  let bytes = 0
  for await (const chunk of child.stdout) bytes += chunk.byteLength
  await finish(command, child)
  const milliseconds = performance.now() - began
  if (bytes !== expected) throw new Error(`"${command.join(" ")}" wrote ${bytes} bytes, not ${expected}`)
  return milliseconds
}
