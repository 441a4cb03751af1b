// Builds distro.local/busybox in the state root that it is given: to be killed at a crash point on the way.
import { never, openFixture } from "./fixture.ts"

const f = openFixture(process.argv[2])
await f.images.pull("distro.local/busybox", { progress: f.progress, signal: never() })
