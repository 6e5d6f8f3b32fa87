import type { TransportAddress } from './stun-message.ts';

/** The path a message came by, and by which its answer goes: a UDP socket and the peer's address, or a TCP connection of the owner's. */
export type IceTransport =
  | { readonly kind: 'udp'; readonly socket: number; readonly source: TransportAddress }
  | { readonly kind: 'tcp'; readonly connection: number; readonly source: TransportAddress };

/** Equal for equal paths. */
export function transportKey(transport: IceTransport): string {
  if (transport.kind === 'tcp') return `tcp ${transport.connection}`;
  return `${transport.socket} ${transport.source.port} ${transport.source.ip}`;
}
