// Who "me" and the user "host" are. The engine sees that on its socket; under sudo it sees root, and means who called sudo.
import { readIfExists } from "../../lib/files.ts"

type Caller = { readonly uid: string; readonly gid: string; readonly name: string }

function sudoer({
  SUDO_UID: uid = "",
  SUDO_GID: gid = "",
  SUDO_USER: name = "",
}: NodeJS.ProcessEnv): Caller | undefined {
  const isSudo = process.getuid?.() === 0 && /^\d+$/.test(uid) && /^\d+$/.test(gid)
  return isSudo ? { uid, gid, name } : undefined
}

export function callersMap(map: string, environment = process.env): string {
  if (map === "") throw new Error("invalid map '': expected me, UID:GID or ranges of ids")
  const caller = map === "me" ? sudoer(environment) : undefined
  return caller === undefined ? map : `${caller.uid}:${caller.gid}`
}

/** What --user stands for, with the groups that come with it. */
export function callersUser(
  user: string,
  environment = process.env,
): { readonly user: string; readonly groups: readonly string[] } {
  const caller = user === "host" ? sudoer(environment) : undefined
  if (caller === undefined) return { user, groups: [] }
  return { user: `${caller.uid}:${caller.gid}`, groups: groupsOf(caller, readIfExists("/etc/group") ?? "") }
}

/** The groups beside its own that a file like /etc/group names a user in. */
export function groupsOf({ name, gid }: Pick<Caller, "name" | "gid">, file: string): string[] {
  return file.split("\n").flatMap((line) => {
    const [, , id = "", members = ""] = line.split(":")
    return id !== gid && /^\d+$/.test(id) && members.split(",").includes(name) ? [id] : []
  })
}
