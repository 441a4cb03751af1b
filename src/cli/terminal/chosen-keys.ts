// Which keys detach: the flag's, or else those of the user's configuration, which docker's client reads as well. Looked
// for where there is a terminal only: nothing else can be detached from by keys.

export async function chosenDetachKeys(flag: string | undefined, tty: boolean): Promise<string | undefined> {
  if (flag || !tty) return flag
  const { configPath, readConfig } = await import("../credentials/config-file.ts")
  const { detachKeys } = readConfig(configPath())
  return typeof detachKeys === "string" && detachKeys !== "" ? detachKeys : undefined
}
