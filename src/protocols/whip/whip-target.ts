import { SluiceError, type StreamRef, streamRef } from '../../core/mod.ts';

/** `publish`: WHIP; `play`: WHEP. */
export type WhipKind = 'publish' | 'play';

/** What a WHIP or WHEP path names: an endpoint, below it a session, or below that the choice of a layer. */
export interface WhipTarget {
  readonly kind: WhipKind;
  readonly ref: StreamRef;
  /** The last part of a session's URL as it stands there; none in an endpoint's. */
  readonly session?: string;
  /** Present: the resource of the session where its layer is chosen. */
  readonly part?: 'layer';
}

/** A session's name in its URL: the node that holds it, so that any other node knows where to forward to, and its secret id there. */
export interface SessionName {
  readonly nodeId: string;
  /** 32 hexadecimal digits from 16 random bytes. Who knows it may change and end the session. */
  readonly id: string;
}

const PATH = /^\/([^/]+)\/([^/]+)\/(whip|whep)(?:\/([^/]+)(\/layer)?)?$/;
const SESSION = /^([A-Za-z0-9_.-]{1,64})\.([0-9a-f]{32})$/;
const NODE_ID = /^[A-Za-z0-9_.-]{1,64}$/;

/** Reads `/APP/NAME/whip`, `/APP/NAME/whep`, what is one level below them, and `layer` below that; undefined for all other paths. */
export function parseWhipPath(path: string): WhipTarget | undefined {
  const [, app, name, protocol, session, layer] = PATH.exec(path) ?? [];
  if (app === undefined || name === undefined) return undefined;
  try {
    const target: WhipTarget = { kind: protocol === 'whip' ? 'publish' : 'play', ref: streamRef(app, name) };
    if (session === undefined) return target;
    return layer === undefined ? { ...target, session } : { ...target, session, part: 'layer' };
  } catch (error) {
    // No stream can have this name, so the path is not ours.
    if (error instanceof SluiceError) return undefined;
    throw error;
  }
}

/** Reads the last part of a session's URL; undefined when no node can have made it. */
export function parseSessionName(text: string): SessionName | undefined {
  const [, nodeId, id] = SESSION.exec(text) ?? [];
  return nodeId === undefined || id === undefined ? undefined : { nodeId, id };
}

/** The path of an endpoint, e.g. `/live/show/whip`. */
export function endpointPath(kind: WhipKind, ref: StreamRef): string {
  return `/${ref.path}/${kind === 'publish' ? 'whip' : 'whep'}`;
}

/** The path of a session. */
export function sessionPath(kind: WhipKind, ref: StreamRef, { nodeId, id }: SessionName): string {
  return `${endpointPath(kind, ref)}/${nodeId}.${id}`;
}

/** The path where a session's layer is chosen. */
export const layerPath = (session: string): string => `${session}/layer`;

/** Whether a node's id can stand in a session's URL. */
export const isNodeId = (text: string): boolean => NODE_ID.test(text);

/** A session's id from 16 random bytes. */
export const sessionId = (random: Uint8Array): string => Array.from(random, (byte) => byte.toString(16).padStart(2, '0')).join('');
