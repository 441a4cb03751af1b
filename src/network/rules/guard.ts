// Makes bridges, addresses and rules again that somebody else has removed (`nft flush ruleset`, a firewall's restart). Our
// own changes are heard like others': what stands is found to stand, and stays.
import { log } from "../../lib/log.ts"
import { acceptForwarding, ensureCommonTable } from "./common.ts"
import { COMMON_TABLE } from "./layout.ts"
import { type HostChange, watchHost } from "./watch.ts"

/** Rules are removed and made again in several transactions: the last of them is waited for. */
const SETTLE_MS = 50

export type Guarded = {
  readonly bridge: string
  /** The host's addresses on it. */
  readonly addresses: readonly string[]
  /** Makes what is missing; with `rules` its table anew. Returns what was, in words. */
  repair(options: { readonly rules: boolean }): Promise<readonly string[]>
}

export class Guard {
  readonly #guarded: () => readonly Guarded[]
  #watch: Promise<AsyncDisposable> | undefined
  #timer: NodeJS.Timeout | undefined
  #changes: HostChange[] = []
  #repairing: Promise<void> = Promise.resolve()
  #closed = false

  constructor(guarded: () => readonly Guarded[]) {
    this.#guarded = guarded
  }

  begin(): void {
    this.#watch = watchHost((change) => this.#hear(change))
    this.#watch.catch((error: unknown) =>
      log.warn("changes of the host's firewall go unnoticed", { error: String(error) }),
    )
  }

  /** Nothing is repaired from here on. */
  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    const watch = await this.#watch?.catch(() => undefined)
    await watch?.[Symbol.asyncDispose]()
    await this.#repairing
  }

  #hear(change: HostChange): void {
    if (this.#closed) return
    try {
      if (!this.#concerns(change)) return
    } catch (error) {
      // Which bridges are whose cannot be read (a full disk, a state that is being closed): looked at again later.
      log.debug("a change of the host's firewall was not looked at", { error: String(error) })
      return
    }
    this.#changes.push(change)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const changes = this.#changes.splice(0)
      this.#repairing = this.#repairing.then(() => this.#repair(changes))
    }, SETTLE_MS)
    this.#timer.unref()
  }

  #concerns(change: HostChange): boolean {
    if (change.kind === "unknown") return true
    if (change.kind === "address-removed")
      return this.#guarded().some(({ addresses }) => addresses.includes(change.address))
    // The user's own rules are the user's to remove.
    if (change.table === COMMON_TABLE) return change.kind === "table-removed"
    if (change.kind === "chain-changed") return change.table === "filter"
    return this.#guarded().some(({ bridge }) => bridge === change.table)
  }

  async #repair(changes: readonly HostChange[]): Promise<void> {
    if (this.#closed) return
    try {
      if (this.#guarded().length === 0) return
      if (await ensureCommonTable()) log.warn("the table of common firewall rules was removed; it is there again")
      for (const guarded of this.#guarded()) {
        if (this.#closed) return
        const made = await guarded.repair({ rules: lostRules(changes, guarded.bridge) })
        if (made.length > 0)
          log.warn("something of a bridge was removed; it is there again", { bridge: guarded.bridge, made })
      }
      await acceptForwarding()
    } catch (error) {
      log.error("what was removed of a bridge could not be made again", { error: String(error) })
    }
  }
}

/** Whether rules went while their table stayed: a table that is replaced as a whole says that it goes, too. */
function lostRules(changes: readonly HostChange[], bridge: string): boolean {
  const ours = changes.filter((change) => "table" in change && change.table === bridge)
  return ours.some(({ kind }) => kind === "rules-removed") && !ours.some(({ kind }) => kind === "table-removed")
}
