// Run by network-crash.test.ts: attaches a container with a port, gives it another, lets it join a network and leave it, and
// releases it; is killed at a crash point on the way.
import { join } from "node:path"
import { openNetworks } from "../../src/network/open.ts"
import { Database } from "../../src/state/database.ts"

const [root = "", bridge = ""] = process.argv.slice(2)
const database = Database.open(join(root, "dhow.db"))
const networks = openNetworks({ database, execRoot: join(root, "run"), bridge, bip: undefined, pool: 1 })
await networks.open()
const ports = networks.choosePorts("victim", [], { "80/tcp": [{}] }, false)
const request = { owner: "victim", name: "victim", hostname: "victim", networks: new Map([["bridge", {}]]), ports }
await networks.attach(request)
const change = { name: "victim", remove: ports, add: { "81/tcp": [{}] } }
const changed = await networks.changePorts("victim", change)
changed.commit()
await networks.create({ Name: "victims", IPAM: { Config: [{ Subnet: "10.231.7.0/24" }] } })
const joined = await networks.connect(request, "victims", {})
joined.commit()
await joined.finish()
const left = await networks.disconnect("victim", "victims")
left.commit()
await left.finish()
await networks.remove("victims")
await networks.release("victim")
// Never reached with a crash point armed.
process.exit(1)
