// How to run this program again: the one-file executable by itself, from source through bun.

export function ownCommand(): readonly string[] {
  return Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main]
}
