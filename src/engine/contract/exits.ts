// How containers ended, and why. References are ids, unique id prefixes or names; removed containers are known by them
// for a while.
import type { ExitReport } from "../../wire/exit.ts"
import type { Why } from "../../wire/why.ts"

export interface Exits {
  why(reference: string): Promise<Why>
  /** The last ends of one container, newest first. */
  of(reference: string): Promise<ExitReport[]>
  /** Of all containers, oldest first, from a time in milliseconds since 1970 on. */
  since(milliseconds: number): Promise<ExitReport[]>
}
