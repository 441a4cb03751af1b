// Seccomp filters that crun has compiled before. Compiling Docker's profile takes crun about 10 ms, half of a container's
// start; crun leaves the program in its state directory and takes it back through an annotation. Kept below the exec root,
// which a reboot clears: a program is only good for the kernel and the libraries that made it.
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { errnoName } from "../lib/errors.ts"
import { log } from "../lib/log.ts"
import type { RuntimeSeccomp } from "../oci/runtime-spec.ts"
import { serializeSeccomp } from "./seccomp.ts"

export const SECCOMP_ANNOTATION = "run.oci.seccomp_bpf_data"
const HASH_BYTES = 32
/** The kernel's own bound: 4096 instructions of 8 bytes. */
const INSTRUCTION_BYTES = 8
const PROGRAM_LIMIT = 4096 * INSTRUCTION_BYTES

export class CompiledSeccomp {
  readonly #directory: string
  /** What the programs depend on beside the profile: the runtime's file. */
  readonly #maker: string
  readonly #programs = new WeakMap<RuntimeSeccomp, string>()
  readonly #awaited = new Map<string, RuntimeSeccomp>()

  constructor(directory: string, runtimePath: string) {
    this.#directory = directory
    const { size, mtimeMs } = statSync(runtimePath)
    this.#maker = `${runtimePath} ${size} ${mtimeMs}`
    mkdirSync(directory, { recursive: true, mode: 0o700 })
  }

  /** The program in base64, or undefined when it has yet to be made: then `harvest(id)` will find it after create. */
  lookUp(id: string, seccomp: RuntimeSeccomp): string | undefined {
    // The listener of such a profile is set up while compiling.
    if (seccomp.listenerPath !== undefined) return undefined
    const known = this.#programs.get(seccomp)
    if (known !== undefined) return known
    const stored = readStored(this.#path(seccomp))
    if (stored !== undefined) return this.#remember(seccomp, stored)
    this.#awaited.set(id, seccomp)
    return undefined
  }

  /** Takes over what crun compiled for a created container; does nothing when it was not asked for. */
  async harvest(id: string, stateDirectory: string): Promise<void> {
    const seccomp = this.#awaited.get(id)
    if (seccomp === undefined) return
    this.#awaited.delete(id)
    try {
      const program = await readFile(join(stateDirectory, "seccomp.bpf"))
      if (!isProgram(program)) return
      const path = this.#path(seccomp)
      const temporary = `${path}.new`
      writeFileSync(temporary, Buffer.concat([sha256(program), program]), { mode: 0o600 })
      renameSync(temporary, path)
      this.#remember(seccomp, program)
    } catch (error) {
      // The container is short-lived, or this crun keeps the program elsewhere: it compiles the next time again.
      log.debug("no compiled seccomp filter was kept", { id, error: String(error) })
    }
  }

  /** For a container that was never started. */
  forget(id: string): void {
    this.#awaited.delete(id)
  }

  #remember(seccomp: RuntimeSeccomp, program: Uint8Array): string {
    const text = Buffer.from(program).toString("base64")
    this.#programs.set(seccomp, text)
    return text
  }

  #path(seccomp: RuntimeSeccomp): string {
    const hash = new Bun.CryptoHasher("sha256").update(this.#maker).update("\0").update(serializeSeccomp(seccomp))
    return join(this.#directory, `${hash.digest("hex")}.bpf`)
  }
}

/** A file that is not what was written is no file: a filter must never be a part of a filter. */
function readStored(path: string): Uint8Array | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(path)
  } catch (error) {
    if (errnoName(error) === "ENOENT") return undefined
    throw error
  }
  const program = bytes.subarray(HASH_BYTES)
  return isProgram(program) && sha256(program).equals(bytes.subarray(0, HASH_BYTES)) ? program : undefined
}

function sha256(bytes: Uint8Array): Buffer {
  return new Bun.CryptoHasher("sha256").update(bytes).digest()
}

function isProgram(bytes: Uint8Array): boolean {
  return bytes.length > 0 && bytes.length <= PROGRAM_LIMIT && bytes.length % INSTRUCTION_BYTES === 0
}
