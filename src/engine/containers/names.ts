// Container ids and names.
import { randomBytes, randomInt } from "node:crypto"
import { DhowError } from "../../lib/errors.ts"

const PATTERN = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/

/** 64 hex digits. All-digit short forms are avoided: they would be mistaken for process ids or ports. */
export function newId(): string {
  for (;;) {
    const id = randomBytes(32).toString("hex")
    if (/[a-f]/.test(id.slice(0, 12))) return id
  }
}

/** The name without a leading slash; throws in Docker's words when it may not be used. */
export function parseName(text: string): string {
  const name = text.startsWith("/") ? text.slice(1) : text
  if (!PATTERN.test(name))
    throw new DhowError("invalid", `Invalid container name (${text}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
  return name
}

const ADJECTIVES =
  "amber brave brisk calm clear clever crisp daring deft eager early fair fleet fond fresh gentle glad golden grand happy hardy honest humble jolly keen kind lively lucid lucky merry mild neat nimble noble patient plain polite prompt proud quick quiet rapid ready robust serene sharp silent smart snug solid sound steady still stout sunny swift tidy tranquil true vivid warm wise witty".split(
    " ",
  )
const NOUNS =
  "alder anchor aspen badger barge beacon birch bison bobcat brook canyon cedar cliff condor coral cove crane creek delta dune eagle elm ember falcon fern finch fjord forest fox gale glacier grove gull harbor hare hawk hazel heron hill island jay juniper kestrel lagoon lake larch lark lynx maple marsh marten meadow mesa moose moss oak orca osprey otter owl peak pebble pike pine plover pond poplar prairie puffin quail raven reef ridge river robin rowan sable salmon seal sparrow spruce stone stork swan thistle tide trout valley walnut willow wren".split(
    " ",
  )

/** A readable name that nothing has yet, such as "brisk_heron". */
export function newName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt++) {
    const adjective = ADJECTIVES[randomInt(ADJECTIVES.length)]
    const noun = NOUNS[randomInt(NOUNS.length)]
    const name = attempt < 6 ? `${adjective}_${noun}` : `${adjective}_${noun}${randomInt(10_000)}`
    if (!isTaken(name)) return name
  }
}
