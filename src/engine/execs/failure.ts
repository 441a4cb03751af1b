// Why an exec could not be begun, in Docker's words and with its status.
import { DhowError, describeError } from "../../lib/errors.ts"
import { log } from "../../lib/log.ts"
import { EXEC_FAILED, runtimeError } from "../../runtime/errors.ts"
import type { ExecConfig } from "../../wire/container.ts"
import { IGNORED_INPUT } from "../containers/attach.ts"
import type { ContainerParts } from "../containers/parts.ts"
import { mountedProgramProblem, type Program, type ProgramProblem, programProblem } from "../containers/program.ts"
import { type ContainerRecord, type ContainerState, isRunning } from "../containers/record.ts"
import type { Attachment } from "../contract.ts"

export function execFailure(
  parts: ContainerParts,
  failed: { readonly error: unknown; readonly config: ExecConfig; readonly record: ContainerRecord },
): DhowError {
  const { error, config, record } = failed
  if (error instanceof DhowError && error.kind !== "internal") return error
  const [command = ""] = config.Cmd ?? []
  const failure = runtimeError(error instanceof Error ? error.message : String(error), { verb: "exec", command })
  if (failure.kind !== "invalid") return failure
  const problem = programProblem(parts, record, programOf(config, record))
  return problem === undefined ? failure : failureOf(problem)
}

/** Throws where the program cannot be run: the runtime would begin the exec and fail with its status 1. */
export function refuseProgram(
  parts: ContainerParts,
  { config, record, state }: { config: ExecConfig; record: ContainerRecord; state: ContainerState },
): void {
  if (!isRunning(state)) return
  let problem: ProgramProblem | undefined
  try {
    problem = mountedProgramProblem(parts, record, { pid: state.process.pid, program: programOf(config, record) })
  } catch (error) {
    log.debug("The program cannot be looked at", { container: record.name, error: describeError(error) })
  }
  if (problem !== undefined) throw failureOf(problem)
}

function programOf(config: ExecConfig, record: ContainerRecord): Program {
  return {
    command: config.Cmd?.[0] ?? "",
    cwd: config.WorkingDir || record.config.WorkingDir || "/",
    env: [...(config.Env ?? []), ...(record.config.Env ?? [])],
  }
}

function failureOf({ detail, exitCode, hint }: ProgramProblem): DhowError {
  return new DhowError("invalid", `${EXEC_FAILED}: ${detail}`, { exitCode, ...(hint === undefined ? {} : { hint }) })
}

/** What Docker finds out once the connection is the stream's already. */
export function refusedStart(refusal: DhowError, tty: boolean): Attachment {
  return {
    tty,
    input: IGNORED_INPUT,
    connect(sink) {
      sink.write(1, Buffer.from(`${describeError(refusal)}\r\n`))
      sink.end()
    },
    detach: () => undefined,
  }
}
