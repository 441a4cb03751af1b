// Names on networks, asked for by people rather than by programs.
import type { Resolution, ResolverFailure } from "../../wire/resolve.ts"

export interface NameService {
  /**
   * What a container is answered for a name; without a container, one resolution for every container that has the name on
   * a network. Throws not-found, and conflict for a container without a network namespace of its own.
   */
  resolve(container: string, name: string): Promise<readonly Resolution[]>
  /** The last answers that failed, oldest first; empty where no resolver runs. */
  failures(): Promise<readonly ResolverFailure[]>
}
