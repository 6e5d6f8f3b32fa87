import { isDirection, isToken, MediaSectionDraft } from './media-section-draft.ts';
import { badSdp, pushBounded, type SdpLine, splitAttribute, splitSdpLines } from './sdp-lines.ts';
import { emptySession, type SessionDescription } from './session-description.ts';
import { TransportAttributesDraft } from './transport-attributes.ts';

const MEDIA_SECTIONS_MAX = 16;
const GROUPS_MAX = 8;

type Group = SessionDescription['groups'][number];
type SessionPart = { -readonly [Field in 'iceLite' | 'extmapAllowMixed' | 'direction']: SessionDescription[Field] } & { groups: Group[] };

function readSessionAttribute(part: SessionPart, transport: TransportAttributesDraft, line: SdpLine): void {
  const { name, value } = splitAttribute(line);
  if (transport.read(name, value, line)) return;
  if (name === 'ice-lite') part.iceLite = true;
  else if (name === 'extmap-allow-mixed') part.extmapAllowMixed = true;
  else if (isDirection(name)) part.direction = name;
  else if (name === 'group') {
    const [semantics = '', ...mids] = value.split(/ +/, MEDIA_SECTIONS_MAX + 1);
    if (!mids.every(isToken)) throw badSdp('a group of what are not mids', line);
    pushBounded(part.groups, { semantics: semantics.toUpperCase(), mids }, GROUPS_MAX, line);
  }
}

function readOrigin(lines: readonly SdpLine[]): { sessionId: string; sessionVersion: string } {
  if (lines[0]?.type !== 'v' || lines[0].value.trim() !== '0') throw badSdp('a session description begins with "v=0"', lines[0]);
  const origin = lines.find(({ type }) => type === 'o');
  const words = origin?.value.split(/ +/) ?? [];
  const [, sessionId = '', sessionVersion = ''] = words;
  if (words.length !== 6 || !/^\d{1,20}$/.test(sessionId) || !/^\d{1,20}$/.test(sessionVersion))
    throw badSdp('no well-formed "o=" line', origin);
  return { sessionId, sessionVersion };
}

/**
 * Parses a session description (RFC 8866) with WebRTC's attributes. Unknown lines and attributes are left off. Session-level transport
 * attributes and directions stay at the session: `transportOf` knows how sections inherit them. Throws `sdp.bad`.
 */
export function parseSessionDescription(text: string): SessionDescription {
  const lines = splitSdpLines(text);
  const origin = readOrigin(lines);
  const part: SessionPart = { iceLite: false, extmapAllowMixed: false, direction: undefined, groups: [] };
  const transport = new TransportAttributesDraft();
  const drafts: MediaSectionDraft[] = [];
  for (const line of lines) {
    const section = drafts.at(-1);
    if (line.type === 'm') {
      pushBounded(drafts, new MediaSectionDraft(line), MEDIA_SECTIONS_MAX, line);
    } else if (line.type === 'a') {
      const { name, value } = splitAttribute(line);
      if (section === undefined) readSessionAttribute(part, transport, line);
      else section.read(name, value, line);
    }
  }
  const media = drafts.map((draft) => draft.finish());
  const mids = media.map(({ mid }) => mid).filter((mid) => mid !== undefined);
  if (new Set(mids).size !== mids.length) throw badSdp('two media sections have the same mid');
  const { direction, ...flags } = part;
  return { ...emptySession, ...origin, ...flags, ...transport.finish(), ...(direction === undefined ? {} : { direction }), media };
}
