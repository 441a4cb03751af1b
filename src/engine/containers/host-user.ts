// The user "host": who asks, with the numbers and groups that they have on this machine. What is recorded are the numbers.
import { DhowError } from "../../lib/errors.ts"
import type { Caller } from "../contract.ts"

export const HOST_USER = "host"

export type NumberedUser = { readonly User: string; readonly GroupAdd: readonly string[] }

/** Undefined where another user is asked for. An image's own user of this name is not meant. */
export function hostUser(
  user: string | undefined,
  caller: (() => Caller | undefined) | undefined,
): NumberedUser | undefined {
  if (user !== HOST_USER) return undefined
  const found = caller?.()
  if (found === undefined)
    throw new DhowError("invalid", 'Cannot run as user "host": only on a unix socket is it known who calls', {
      hint: "Name the user: --user UID:GID --group-add GID",
    })
  const { uid, gid, groups } = found
  return { User: `${uid}:${gid}`, GroupAdd: groups.filter((group) => group !== gid).map(String) }
}
