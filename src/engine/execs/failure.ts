// Why an exec could not be begun, in Docker's words and with its status.
import { DhowError } from "../../lib/errors.ts"
import { EXEC_FAILED, runtimeError } from "../../runtime/errors.ts"
import type { ExecConfig } from "../../wire/container.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { programProblem } from "../containers/program.ts"
import type { ContainerRecord } from "../containers/record.ts"

export function execFailure(
  parts: ContainerParts,
  failed: { readonly error: unknown; readonly config: ExecConfig; readonly record: ContainerRecord },
): DhowError {
  const { error, config, record } = failed
  if (error instanceof DhowError && error.kind !== "internal") return error
  const [command = ""] = config.Cmd ?? []
  const failure = runtimeError(error instanceof Error ? error.message : String(error), { verb: "exec", command })
  if (failure.kind !== "invalid") return failure
  const problem = programProblem(parts, record, {
    command,
    cwd: config.WorkingDir || record.config.WorkingDir || "/",
    env: [...(config.Env ?? []), ...(record.config.Env ?? [])],
  })
  if (problem === undefined) return failure
  return new DhowError("invalid", `${EXEC_FAILED}: ${problem.detail}`, { exitCode: problem.exitCode })
}
