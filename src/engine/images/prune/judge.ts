// Which images a prune would remove, and why each one goes or stays. Pure: nothing is asked and nothing is changed.
import { humanDuration } from "../../../lib/human-duration.ts"
import { matchesLabels } from "../filters.ts"
import type { PrunePolicy } from "./policy.ts"

export type Candidate = {
  readonly created: number
  readonly lastUsed: number
  readonly pulled: number
  readonly labels: Readonly<Record<string, string>>
  /** With a tag, and not by digest alone. */
  readonly isTagged: boolean
  /** Names of repositories that hold it. */
  readonly repositories: readonly string[]
  /** A container made from it, if there is one. */
  readonly user: string | undefined
  /** Where it is mounted for somebody, if it is. */
  readonly mountedAt?: string | undefined
}

export type Verdict = { readonly isRemoved: boolean; readonly reason: string }

export function judge<T extends Candidate>(
  candidates: readonly T[],
  policy: PrunePolicy,
  now = Date.now(),
): readonly (T & Verdict)[] {
  const newest = newestOf(candidates, policy.keep)
  return candidates.map((candidate) => {
    const spared = reasonToStay(candidate, policy, now) ?? newest.get(candidate)
    return { ...candidate, isRemoved: spared === undefined, reason: spared ?? reasonToGo(candidate, policy, now) }
  })
}

function reasonToStay(candidate: Candidate, policy: PrunePolicy, now: number): string | undefined {
  const { user, mountedAt, labels, lastUsed, created, isTagged } = candidate
  if (user !== undefined) return `used by container ${user}`
  if (mountedAt !== undefined) return `mounted at "${mountedAt}"`
  if (policy.danglingOnly && isTagged) return "has a name"
  if (created > policy.until) return "created after the limit"
  if (!matchesLabels(policy.labels, labels)) return "lacks the label"
  if (policy.unlabelled.length > 0 && matchesLabels(policy.unlabelled, labels)) return "has the label"
  if (policy.unused > 0 && now - lastUsed < policy.unused) return `used ${ago(lastUsed, now)}`
  return undefined
}

function reasonToGo({ lastUsed, isTagged }: Candidate, { unused }: PrunePolicy, now: number): string {
  if (unused > 0) return `unused for ${humanDuration((now - lastUsed) / 1000)}`
  return isTagged ? "no container uses it" : "has no name"
}

/** The newest of each repository; where an image's makers gave all the same date, what came last. */
function newestOf<T extends Candidate>(candidates: readonly T[], keep: number): ReadonlyMap<T, string> {
  const kept = new Map<T, string>()
  if (keep === 0) return kept
  const inRepository = new Map<string, T[]>()
  for (const candidate of candidates)
    for (const name of candidate.repositories) inRepository.set(name, [...(inRepository.get(name) ?? []), candidate])
  for (const [name, members] of inRepository) {
    members.sort((a, b) => b.created - a.created || b.pulled - a.pulled)
    const what = keep === 1 ? `the newest of ${name}` : `among the ${keep} newest of ${name}`
    for (const member of members.slice(0, keep)) if (!kept.has(member)) kept.set(member, what)
  }
  return kept
}

function ago(time: number, now: number): string {
  return `${humanDuration((now - time) / 1000)} ago`
}
