// What the engine does with other registries beside moving images: logging in.
import type { Registries } from "../registry/contract.ts"
import type { RegistryAccess } from "./contract.ts"

const HUB = "index.docker.io"

export function openRegistryAccess(registries: Registries): RegistryAccess {
  return {
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
