// The last answers that failed, for whoever asks why.
import type { ResolverFailure } from "../../wire/resolve.ts"
import type { Reply } from "./answer.ts"
import type { Query } from "./packet.ts"
import { rcodeName, typeName } from "./reasons.ts"

const KEPT = 200

export class Failures {
  #all: ResolverFailure[] = []

  add(container: string, query: Query, { rcode, why }: Reply): void {
    if (this.#all.length >= 2 * KEPT) this.#all = this.#all.slice(-KEPT)
    this.#all.push({
      Time: new Date().toISOString(),
      Container: container,
      Name: query.name.text,
      Type: typeName(query.type),
      Status: rcodeName(rcode),
      Why: why,
    })
  }

  all(): readonly ResolverFailure[] {
    return this.#all.slice(-KEPT)
  }
}
