// What the engine does with other registries beside moving images: logging in, searching, looking at what they have.
import type { Registries } from "../../registry/contract.ts"
import type { RegistryAccess } from "../contract.ts"
import { inspectDistribution } from "./distribution.ts"
import { searchImages } from "./search.ts"

const HUB = "index.docker.io"

export function openRegistryAccess(registries: Registries): RegistryAccess {
  return {
    search: (term, options) => searchImages(registries, term, options),
    distribution: (name, options) => inspectDistribution(registries, name, options),
    async login({ serveraddress, ...auth }, { signal }) {
      const credentials = {
        ...(auth.username ? { username: auth.username } : {}),
        ...(auth.password ? { password: auth.password } : {}),
        ...(auth.identitytoken ? { identityToken: auth.identitytoken } : {}),
        ...(auth.registrytoken ? { registryToken: auth.registrytoken } : {}),
      }
      const token = await registries.login({ server: serveraddress || HUB, credentials, signal })
      return { Status: "Login Succeeded", IdentityToken: token ?? "" }
    },
  }
}
