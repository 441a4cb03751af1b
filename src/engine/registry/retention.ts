// How long tags are kept: a policy for the repositories that a pattern matches. The longest matching pattern decides.
import type { Database } from "../../state/database.ts"
import type { RegistryRetention } from "../../wire/registry-server.ts"
import type { RepositoryName } from "./names.ts"
import type { TagRow } from "./records.ts"

export type Retention = ReturnType<typeof openRetention>

export function openRetention(database: Database) {
  const select = database.query<{ policy: string }>("SELECT policy FROM registry_retention ORDER BY pattern")
  const insert = database.query<never, { pattern: string; policy: string }>(
    "INSERT OR REPLACE INTO registry_retention VALUES ($pattern, $policy)",
  )
  const remove = database.query<never, { pattern: string }>("DELETE FROM registry_retention WHERE pattern = $pattern")
  const all = (): readonly RegistryRetention[] =>
    select.all().map(({ policy }) => JSON.parse(policy) as RegistryRetention)
  return {
    all,
    put: (policy: RegistryRetention): void => {
      insert.run({ pattern: policy.pattern, policy: JSON.stringify(policy) })
    },
    remove: (pattern: string): boolean => remove.run({ pattern }).changes > 0,
    of: (name: RepositoryName): RegistryRetention | undefined =>
      all()
        .filter(({ pattern }) => matches(pattern, name))
        .sort((a, b) => b.pattern.length - a.pattern.length)[0],
  }
}

/** "*" stands for any text, slashes too. */
export function matches(pattern: string, name: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"))
  return new RegExp(`^${parts.join(".*")}$`, "s").test(name)
}

/** Which tags of a repository a policy gives up, and why. The newest `keepLast` stay whatever else it says. */
export function overdue(
  tags: readonly TagRow[],
  policy: RegistryRetention,
  now = Date.now(),
): readonly (readonly [TagRow, string])[] {
  const { keepLast, maxAge, unusedFor } = policy
  const newest = [...tags].sort((a, b) => b.tagged_at - a.tagged_at || (a.tag < b.tag ? 1 : -1))
  const isTimed = maxAge !== undefined || unusedFor !== undefined
  return newest.slice(keepLast ?? 0).flatMap((row): (readonly [TagRow, string])[] => {
    if (!isTimed) return keepLast === undefined ? [] : [[row, `not among the last ${keepLast}`]]
    if (maxAge !== undefined && row.tagged_at < now - maxAge * 1000) return [[row, "too old"]]
    if (unusedFor !== undefined && row.pulled_at < now - unusedFor * 1000) return [[row, "unused"]]
    return []
  })
}
