// Docker's commands that this version does not have: said so, where a guess at a typo would lead astray.
const NOT_OFFERED: ReadonlySet<string> = new Set(
  `
  build
  builder
  buildx
  checkpoint
  context
  image build
  node
  plugin
  secret
  service
  stack
  swarm
  trust
  `
    .trim()
    .split(/\n\s*/),
)

export function isNotOffered(path: readonly string[]): boolean {
  return NOT_OFFERED.has(path.join(" "))
}
