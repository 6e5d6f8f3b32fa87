import { ProtocolError } from '../../core/mod.ts';
import { attempt, bodyText, wrongBody } from './whip-body.ts';
import { answer, type WhipRequest, type WhipResponse } from './whip-message.ts';
import { problemResponse } from './whip-problem.ts';
import type { WhipLayerChoice, WhipSession } from './whip-sessions.ts';

export const LAYER_METHODS = 'GET, HEAD, POST, OPTIONS';
export const LAYER_TYPE = 'application/json';
const RELATION = 'urn:ietf:params:whep:ext:core:layer';

/** Of SVC and of limits instead of names; nothing of it can be done, and a viewer who asks for it is not to get something else. */
const NOT_TAKEN: readonly string[] = [
  'spatialLayerId',
  'temporalLayerId',
  'maxSpatialLayerId',
  'maxTemporalLayerId',
  'maxWidth',
  'maxHeight',
];

/** The `Link` that tells a viewer where to choose a layer (draft-ietf-wish-whep, video layer selection). */
export const layerLink = (path: string): string => `<${path}>; rel="${RELATION}"`;

/**
 * GET says which layers there are, POST chooses one, and says so, too. `isLeaving`: the session ends soon, and the answer asks for a new one (`reconnect`), which the
 * viewer makes before it leaves the old one.
 */
export function answerLayerRequest(request: WhipRequest, session: WhipSession, isLeaving: boolean): WhipResponse {
  const choice = session.layers?.();
  if (choice === undefined) return problemResponse('no-layers');
  switch (request.method) {
    case 'GET':
    case 'HEAD':
      return state(choice, isLeaving);
    case 'POST':
      return choose(request, choice, isLeaving);
    default:
      return problemResponse('method-not-allowed', { headers: { allow: LAYER_METHODS } });
  }
}

function choose(request: WhipRequest, choice: WhipLayerChoice, isLeaving: boolean): WhipResponse {
  const wrong = wrongBody(request, LAYER_TYPE, 'accept-post');
  if (wrong !== undefined) return wrong;
  const wish = attempt('layer', () => parseLayerWish(bodyText(request.body)));
  if ('status' in wish) return wish;
  if (choice.select(wish.encodingId)) return state(choice, isLeaving);
  const names = choice.read().layers.map(({ encodingId }) => JSON.stringify(encodingId));
  const detail = `There is no layer ${shown(wish.encodingId)}: take one of ${names.join(', ')}, or {} for an automatic choice.`;
  return problemResponse('layer-unusable', { detail });
}

const state = (choice: WhipLayerChoice, isLeaving: boolean): WhipResponse =>
  answer(200, { 'content-type': LAYER_TYPE }, JSON.stringify({ ...choice.read(), ...(isLeaving ? { reconnect: true } : {}) }));

/**
 * Reads a viewer's wish; without an encodingId it is for the server's own choice. `mediaId` is not looked at: a session has one video section.
 * Throws ProtocolErrors: `whip.bad-layer` for what is no wish, `whip.layer-unusable` for one that cannot be fulfilled.
 */
function parseLayerWish(text: string): { readonly encodingId: string | undefined } {
  const wish = parseObject(text);
  const other = NOT_TAKEN.find((name) => wish.has(name));
  if (other !== undefined) {
    throw new ProtocolError(
      'whip.layer-unusable',
      `layers cannot be chosen by ${other}: send the encodingId of one of those that GET lists`,
    );
  }
  // The drafts first had `encodingId`, later `rid`.
  const encodingId = wish.get('encodingId') ?? wish.get('rid');
  if (encodingId !== undefined && (typeof encodingId !== 'string' || encodingId === '')) {
    throw bad(`has the encodingId ${shown(encodingId)}: it must be the name of a layer, or left out`);
  }
  return { encodingId };
}

function parseObject(text: string): ReadonlyMap<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw bad('is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad('is no JSON object');
  return new Map(Object.entries(value));
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 60) ?? '';

const bad = (what: string): ProtocolError => new ProtocolError('whip.bad-layer', `the choice of a layer ${what}`);
