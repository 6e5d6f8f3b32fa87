/** One quality that the server can send. */
export interface Layer {
  readonly encodingId: string;
  /** Pixels; 0 while it is not known. */
  readonly height: number;
}

/** What a WHEP session can be sent, what it is sent and why. */
export interface LayerList {
  /** The layer that is sent now. */
  readonly active: string;
  /** Whether the server chooses. */
  readonly automatic: boolean;
  /** A word of the server's (docs/whip-whep.md); '' without. */
  readonly reason: string;
  /** Best first. */
  readonly layers: readonly Layer[];
  /** Present: the session ends soon, and a new one is to be made, which may lead to another server. */
  readonly reconnect?: true;
}

const LAYERS_MAX = 32;

/** Reads the server's JSON; undefined for what is not a list of layers. */
export function parseLayerList(text: string): LayerList | undefined {
  const value = fieldsOf(jsonOf(text));
  const layers = value?.['layers'];
  if (!value || !Array.isArray(layers)) return undefined;
  const { active, automatic, reason, reconnect } = value;
  return {
    active: typeof active === 'string' ? active : '',
    automatic: automatic !== false,
    reason: typeof reason === 'string' ? reason : '',
    layers: layers.slice(0, LAYERS_MAX).flatMap(layerOf),
    ...(reconnect === true ? { reconnect } : {}),
  };
}

function layerOf(value: unknown): readonly Layer[] {
  const { encodingId, height } = fieldsOf(value) ?? {};
  if (typeof encodingId !== 'string' || encodingId === '') return [];
  return [{ encodingId, height: typeof height === 'number' && height > 0 ? height : 0 }];
}

const fieldsOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
