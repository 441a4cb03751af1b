// Bodies of /networks that clients send.
import type { EndpointSettings } from "./container.ts"

export type NetworkCreateRequest = {
  readonly Name?: string
  readonly Driver?: string
  readonly Scope?: string
  readonly EnableIPv4?: boolean | null
  readonly EnableIPv6?: boolean | null
  readonly IPAM?: {
    readonly Driver?: string
    readonly Options?: Readonly<Record<string, string>> | null
    readonly Config?:
      | readonly {
          readonly Subnet?: string
          readonly IPRange?: string
          readonly Gateway?: string
          readonly AuxiliaryAddresses?: Readonly<Record<string, string>> | null
        }[]
      | null
  } | null
  readonly Internal?: boolean
  readonly Attachable?: boolean
  readonly Ingress?: boolean
  readonly ConfigOnly?: boolean
  readonly ConfigFrom?: { readonly Network?: string } | null
  readonly Options?: Readonly<Record<string, string>> | null
  readonly Labels?: Readonly<Record<string, string>> | null
}

export type NetworkCreateResponse = { Id: string; Warning: string }

export type NetworkConnectRequest = { Container?: string; EndpointConfig?: EndpointSettings | null }
export type NetworkDisconnectRequest = { Container?: string; Force?: boolean }
