// The header by which a request takes what its platform runs as well.
export const COMPATIBLE = { "X-Dhow-Platform": "compatible" } as const
