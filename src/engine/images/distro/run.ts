// Programs of the distribution, run to their end: output bounded, language fixed, and an error that quotes what they
// said. Nothing goes through a shell.
import { spawn } from "node:child_process"
import { DhowError, errnoName } from "../../../lib/errors.ts"

const OUTPUT_LIMIT = 4 << 20

export type Ran = { readonly status: number; readonly stdout: string; readonly stderr: string }

export async function run(
  argv: readonly [string, ...string[]],
  options: { readonly signal?: AbortSignal; readonly cwd?: string } = {},
): Promise<Ran> {
  const [program, ...rest] = argv
  const { promise, resolve, reject } = Promise.withResolvers<Ran>()
  const child = spawn(program, rest, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, LC_ALL: "C.UTF-8" },
    killSignal: "SIGKILL",
    ...options,
  })
  let stdout = ""
  let stderr = ""
  child.stdout.on("data", (chunk: Buffer) => {
    if (stdout.length < OUTPUT_LIMIT) stdout += chunk.toString("utf8")
  })
  child.stderr.on("data", (chunk: Buffer) => {
    if (stderr.length < OUTPUT_LIMIT) stderr += chunk.toString("utf8")
  })
  child.once("error", (cause) => {
    if (options.signal?.aborted === true)
      reject(new DhowError("cancelled", "The request was cancelled", { cause: options.signal.reason }))
    else if (errnoName(cause) === "ENOENT")
      reject(new DhowError("unavailable", `The program "${program}" is not installed`, { cause }))
    else reject(new DhowError("internal", `Cannot run "${program}"`, { cause }))
  })
  child.once("close", (status) => resolve({ status: status ?? 1, stdout, stderr }))
  return await promise
}
