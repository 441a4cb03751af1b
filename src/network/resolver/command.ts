// `dhow internal resolver EXEC-ROOT DATABASE MARK`: started by the engine, outlives it.
import { log } from "../../lib/log.ts"
import { ResolverProcess } from "./process.ts"

export async function resolverCommand([execRoot, database, mark, idle]: readonly string[]): Promise<number> {
  if (execRoot === undefined || database === undefined || mark === undefined) {
    console.error("dhow: resolver needs an exec root, a database and a mark")
    return 125
  }
  // Nobody may be there to start it again: one surprise is not to cost all containers their names.
  const surprise = (error: unknown): void => log.error("something unforeseen", { error: String(error) })
  process.on("uncaughtException", surprise)
  process.on("unhandledRejection", surprise)
  const idleMs = idle === undefined ? {} : { idleMs: Number(idle) }
  await new ResolverProcess({ execRoot, database, mark, ...idleMs }).run()
  return 0
}
