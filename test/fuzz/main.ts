// `bun test/fuzz/main.ts [--headers N] [--unpacked N] [--seed N] [--mount-one-of N]`: the fuzzer as a program, for the long
// run. Needs root. Ends with 1 where something was found.
import { parseArgs } from "node:util"
import { fuzz } from "./fuzz.ts"

const { values } = parseArgs({
  options: {
    headers: { type: "string", default: "1000000" },
    unpacked: { type: "string", default: "10000" },
    seed: { type: "string", default: "1" },
    "mount-one-of": { type: "string", default: "500" },
  },
})

const begun = performance.now()
const result = await fuzz({
  seed: Number(values.seed),
  headers: Number(values.headers),
  unpacked: Number(values.unpacked),
  mountOneOf: Number(values["mount-one-of"]),
  progress: (line) => console.error(line),
})
const mib = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`
console.log(`${result.headers} mutated headers in ${result.archives} archives, seed ${values.seed}`)
console.log(`indexed ${result.indexed}, refused ${result.refused}; ${result.mounted} mounted and walked`)
console.log(`${result.compared} read by both readers`)
console.log(
  `unpacked: ${result.unpackedHeaders} mutated headers in ${values.unpacked} archives, ${result.unpackRefused} refused`,
)
console.log(`largest resident size: ${mib(result.rss)} indexing, ${mib(result.unpackRss)} unpacking`)
console.log(`${Math.round((performance.now() - begun) / 1000)} s, ${result.findings.length} findings`)
for (const finding of result.findings) console.log(finding)
process.exit(result.findings.length === 0 ? 0 : 1)
