import { ProtocolError } from '../../core/mod.ts';

/** What an `application/trickle-ice-sdpfrag` says (RFC 8840 9). All media is bundled, so that all of it is about one transport. */
export interface IceFragment {
  /** Both are there, or neither. */
  readonly ufrag?: string;
  readonly pwd?: string;
  /** Attributes without `a=`, e.g. `candidate:1 1 udp 2122260223 192.0.2.1 61764 typ host`; at most 100, their values not looked into. */
  readonly candidates: readonly string[];
  readonly isEndOfCandidates: boolean;
  /** The lines `a=group`, `m=` and `a=mid` that an answer repeats; '' where there is none. */
  readonly group: string;
  readonly media: string;
  readonly mid: string;
}

/** The server's side of an ICE session. */
export interface IceDescription {
  readonly ufrag: string;
  readonly pwd: string;
  /** All candidates, written as in {@link IceFragment.candidates}. */
  readonly candidates: readonly string[];
  /** Whether the SDP answer had `a=ice-lite`: the fragment has to say the same (RFC 9725 4.3.3). */
  readonly isLite: boolean;
  /** Of `a=ice-options` in the SDP answer, e.g. `['trickle', 'ice2']`. */
  readonly options: readonly string[];
}

/** More candidates than any host has; a fragment with more is refused. */
const CANDIDATES_MAX = 100;
const LINES_MAX = 1_000;
const LINE_LENGTH_MAX = 2_000;

// RFC 8839 5.4: ice-char.
const UFRAG = /^[A-Za-z0-9+/]{4,256}$/;
const PWD = /^[A-Za-z0-9+/]{22,256}$/;
const LINE = /^[a-z]=/;
const VISIBLE = /^[\x20-\x7e]+$/;
/** What stands in for the sections of a fragment that has none. */
const FIRST_SECTION = ['m=audio 9 UDP/TLS/RTP/SAVPF 0', 'a=mid:0'];

interface Draft {
  ufrag: string | undefined;
  pwd: string | undefined;
  readonly candidates: string[];
  isEndOfCandidates: boolean;
  group: string;
  media: string;
  mid: string;
}

/** Reads a fragment; attributes that are not about ICE are passed over. Throws ProtocolError `whip.bad-fragment`. */
export function parseIceFragment(text: string): IceFragment {
  const draft: Draft = { ufrag: undefined, pwd: undefined, candidates: [], isEndOfCandidates: false, group: '', media: '', mid: '' };
  const lines = text.split(/\r?\n/, LINES_MAX + 1);
  if (lines.length > LINES_MAX) throw bad(`has more than ${LINES_MAX} lines`);
  for (const line of lines) if (line !== '') readLine(draft, line);
  const { ufrag, pwd, ...rest } = draft;
  if (ufrag === undefined && pwd === undefined) return rest;
  // RFC 8839 5.4: one without the other identifies nothing.
  if (ufrag === undefined || pwd === undefined) throw bad('has only one of a=ice-ufrag and a=ice-pwd: send both');
  return { ...rest, ufrag, pwd };
}

/** Writes the server's side of a new ICE session, in the sections of the client's fragment. */
export function formatIceFragment(ice: IceDescription, { group, media, mid }: IceFragment): string {
  const lines = ice.isLite ? ['a=ice-lite'] : [];
  if (ice.options.length > 0) lines.push(`a=ice-options:${ice.options.join(' ')}`);
  if (group !== '') lines.push(group);
  lines.push(...(media === '' || mid === '' ? FIRST_SECTION : [media, mid]));
  lines.push(`a=ice-ufrag:${ice.ufrag}`, `a=ice-pwd:${ice.pwd}`);
  lines.push(...ice.candidates.map((candidate) => `a=${candidate}`), 'a=end-of-candidates');
  return lines.map((line) => `${line}\r\n`).join('');
}

function readLine(draft: Draft, line: string): void {
  if (line.length > LINE_LENGTH_MAX) throw bad(`has a line of ${line.length} characters, at most ${LINE_LENGTH_MAX} are taken`);
  if (!LINE.test(line)) throw bad(`has the line ${shown(line)}: each must be a letter, "=" and a value (RFC 8866 5)`);
  const colon = line.indexOf(':');
  const name = line.startsWith('m=') ? 'm=' : colon < 0 ? line : line.slice(0, colon);
  const value = colon < 0 ? '' : line.slice(colon + 1);
  switch (name) {
    case 'a=ice-ufrag':
      draft.ufrag = credential(draft.ufrag, value, UFRAG, name);
      break;
    case 'a=ice-pwd':
      draft.pwd = credential(draft.pwd, value, PWD, name);
      break;
    case 'a=candidate':
      addCandidate(draft, line.slice('a='.length));
      break;
    case 'a=end-of-candidates':
      draft.isEndOfCandidates = true;
      break;
    case 'a=group':
      draft.group ||= visible(line);
      break;
    case 'm=':
      draft.media ||= visible(line);
      break;
    case 'a=mid':
      draft.mid ||= visible(line);
      break;
  }
}

function addCandidate(draft: Draft, value: string): void {
  if (draft.candidates.length === CANDIDATES_MAX) throw bad(`has more than ${CANDIDATES_MAX} candidates`);
  draft.candidates.push(visible(value));
}

/** Bundled sections share one transport, hence one ufrag and pwd (RFC 8843 7.1.1). */
function credential(before: string | undefined, value: string, grammar: RegExp, name: string): string {
  if (!grammar.test(value)) throw bad(`has an ${name.slice(2)} of ${value.length} characters that is not one (RFC 8839 5.4)`);
  if (before !== undefined && before !== value) throw bad(`has two different ${name.slice(2)}: all media is bundled on one transport`);
  return value;
}

function visible(value: string): string {
  if (!VISIBLE.test(value)) throw bad(`has the value ${shown(value)}, which is not visible ASCII`);
  return value;
}

const shown = (text: string): string => JSON.stringify(text.slice(0, 60));

const bad = (what: string): ProtocolError => new ProtocolError('whip.bad-fragment', `the ICE fragment ${what}`);
