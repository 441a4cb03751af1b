// Docker's commands that this version does not have: said so, where a guess at a typo would lead astray.
const NOT_OFFERED: ReadonlySet<string> = new Set(
  [
    "build builder buildx checkpoint compose config context cp manifest node plugin",
    "search secret service stack stats swarm trust",
  ]
    .join(" ")
    .split(" ")
    .concat(
      ["cp", "stats"].map((name) => `container ${name}`),
      ["build"].map((name) => `image ${name}`),
      ["connect", "create", "disconnect", "prune", "rm"].map((name) => `network ${name}`),
      ["df", "prune"].map((name) => `system ${name}`),
    ),
)

export function isNotOffered(path: readonly string[]): boolean {
  return NOT_OFFERED.has(path.join(" "))
}
