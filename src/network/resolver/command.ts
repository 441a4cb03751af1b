// `dhow internal resolver EXEC-ROOT DATABASE MARK`: started by the engine, outlives it.
import { ResolverProcess } from "./process.ts"

export async function resolverCommand([execRoot, database, mark, idle]: readonly string[]): Promise<number> {
  if (execRoot === undefined || database === undefined || mark === undefined) {
    console.error("dhow: resolver needs an exec root, a database and a mark")
    return 125
  }
  const idleMs = idle === undefined ? {} : { idleMs: Number(idle) }
  await new ResolverProcess({ execRoot, database, mark, ...idleMs }).run()
  return 0
}
