// A case measures one thing on every engine, and on the bare runtime where that can do it. One call of `measure` is one
// sample of each of its results.
import type { Engine } from "../engines/engine.ts"
import type { Floor } from "../engines/floor.ts"
import type { Fixtures } from "../fixtures.ts"

export type Result = {
  /** Row of the table. */
  readonly title: string
  readonly unit: "time" | "memory" | "ratio"
}

/** Samples by the key of the result; a result that this engine cannot give is left out. */
export type Samples = Readonly<Record<string, number>>

export type Session = {
  measure(): Promise<Samples>
  close?(): Promise<void>
}

export type Case = {
  /** For --only. */
  readonly name: string
  readonly results: Readonly<Record<string, Result>>
  /** Samples per engine for N rounds: a slow case takes fewer. */
  readonly rounds: (rounds: number) => number
  open(engine: Engine, fixtures: Fixtures): Promise<Session | undefined>
  floor?(floor: Floor): Session
}

export const all = (rounds: number): number => rounds
export const some = (rounds: number): number => Math.max(3, Math.ceil(rounds / 5))
export const once = (): number => 1

/** Before memory is read: an engine lets go of what it does not need some seconds after the last event. */
export const SETTLE_MS = 8000
