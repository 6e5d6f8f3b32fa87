import { badSdp, decimal, pushBounded, type SdpLine } from './sdp-lines.ts';
import {
  emptyMediaSection,
  type SdpDirection,
  type SdpExtension,
  type SdpMediaSection,
  type SdpPayloadFormat,
  type SdpRid,
  type SdpSimulcast,
  type SdpSource,
  type SdpSourceGroup,
} from './session-description.ts';
import { TransportAttributesDraft } from './transport-attributes.ts';

const FORMATS_MAX = 128;
const PARAMETERS_MAX = 64;
const FEEDBACK_MAX = 32;
const EXTENSIONS_MAX = 64;
const SOURCES_MAX = 64;
const RIDS_MAX = 16;
const UINT32_MAX = 0xffffffff;
const directions: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] satisfies SdpDirection[];
const TOKEN = /^[!#$%&'*+\-.0-9A-Z^_`a-z{|}~]{1,64}$/;
const RID = /^[A-Za-z0-9_-]{1,32}$/;

export const isDirection = (name: string): name is SdpDirection => directions.includes(name);
export const isToken = (text: string): boolean => TOKEN.test(text);

type Changing<Type> = { -readonly [Field in keyof Type]: Type[Field] };
type Rtpmap = Pick<SdpPayloadFormat, 'name' | 'clockRate' | 'channels'>;

/**
 * One media section while it is read. What a session stands on (payload types, mid, transport) must be well formed; a bad line among the
 * rest only loses what it would have said.
 */
export class MediaSectionDraft {
  private readonly section: Changing<SdpMediaSection>;
  private readonly transport = new TransportAttributesDraft();
  private readonly rtpmaps = new Map<number, Rtpmap>();
  private readonly parameters = new Map<number, Map<string, string>>();
  private readonly feedback = new Map<number | '*', string[]>();
  private readonly extensions: SdpExtension[] = [];
  private readonly sources = new Map<number, Changing<SdpSource>>();
  private readonly sourceGroups: SdpSourceGroup[] = [];
  private readonly msids: string[] = [];
  private readonly rids: SdpRid[] = [];

  /** From the `m=` line (RFC 8866 §5.14). Throws `sdp.bad`. */
  constructor(line: SdpLine) {
    const [kind = '', portText = '', protocol = '', ...formats] = line.value.split(/ +/);
    const port = decimal(portText.split('/')[0], 65535);
    if (!isToken(kind) || port === undefined || !/^[A-Za-z0-9/.-]{1,64}$/.test(protocol)) throw badSdp('bad media line', line);
    if (formats.length === 0 || formats.length > FORMATS_MAX || !formats.every(isToken)) {
      throw badSdp(`not 1 to ${FORMATS_MAX} well-formed formats`, line);
    }
    this.section = { ...emptyMediaSection, kind, port, protocol, formats };
  }

  /** Takes an `a=` line's parts; unknown ones are left off. Throws `sdp.bad`. */
  read(name: string, value: string, line: SdpLine): void {
    if (this.transport.read(name, value, line) || this.readFlag(name)) return;
    switch (name) {
      case 'mid':
        if (!isToken(value)) throw badSdp('mid is not a token of at most 64 characters', line);
        this.section.mid = value;
        break;
      case 'rtpmap':
        this.readRtpmap(value, line);
        break;
      case 'fmtp':
        this.readFmtp(value, line);
        break;
      case 'rtcp-fb':
        this.readFeedback(value);
        break;
      case 'extmap':
        this.readExtension(value, line);
        break;
      case 'ssrc':
        this.readSource(value, line);
        break;
      default:
        this.readStreamAttribute(name, value, line);
    }
  }

  private readFlag(name: string): boolean {
    if (isDirection(name)) this.section.direction = name;
    else if (name === 'rtcp-mux') this.section.rtcpMux = true;
    else if (name === 'rtcp-mux-only') this.section.rtcpMuxOnly = true;
    else if (name === 'rtcp-rsize') this.section.rtcpReducedSize = true;
    else if (name === 'bundle-only') this.section.bundleOnly = true;
    else if (name === 'extmap-allow-mixed') this.section.extmapAllowMixed = true;
    else return false;
    return true;
  }

  private readStreamAttribute(name: string, value: string, line: SdpLine): void {
    if (name === 'ssrc-group') {
      const [semantics = '', ...numbers] = value.split(/ +/);
      const ssrcs = numbers.map((text) => decimal(text, UINT32_MAX)).filter((ssrc) => ssrc !== undefined);
      if (isToken(semantics) && ssrcs.length > 0) pushBounded(this.sourceGroups, { semantics, ssrcs }, SOURCES_MAX, line);
    } else if (name === 'msid') {
      if (value !== '') pushBounded(this.msids, value, SOURCES_MAX, line);
    } else if (name === 'rid') {
      const [id = '', direction, parameters] = value.split(/ +/, 3);
      if (!RID.test(id) || (direction !== 'send' && direction !== 'recv')) return;
      pushBounded(this.rids, { id, direction, ...(parameters === undefined ? {} : { parameters }) }, RIDS_MAX, line);
    } else if (name === 'simulcast') {
      this.section.simulcast = readSimulcast(value);
    }
  }

  private payloadTypeOf(text: string | undefined, line: SdpLine): number {
    const payloadType = decimal(text, 127);
    if (payloadType === undefined) throw badSdp('payload type is not 0 to 127', line);
    return payloadType;
  }

  private readRtpmap(value: string, line: SdpLine): void {
    const [payloadTypeText, encoding = ''] = value.split(/ +/);
    const payloadType = this.payloadTypeOf(payloadTypeText, line);
    const [name = '', rate, channelsText] = encoding.split('/');
    const clockRate = decimal(rate, UINT32_MAX);
    const channels = decimal(channelsText, 255);
    if (!isToken(name) || clockRate === undefined || clockRate === 0) throw badSdp('bad rtpmap', line);
    this.rtpmaps.set(payloadType, { name, clockRate, ...(channels === undefined ? {} : { channels }) });
  }

  private readFmtp(value: string, line: SdpLine): void {
    const space = value.indexOf(' ');
    const payloadType = this.payloadTypeOf(space < 0 ? value : value.slice(0, space), line);
    const parameters = new Map<string, string>();
    for (const piece of space < 0 ? [] : value.slice(space + 1).split(';', PARAMETERS_MAX)) {
      const [name = '', ...rest] = piece.trim().split('=');
      if (name !== '') parameters.set(name.trim().toLowerCase(), rest.join('=').trim());
    }
    this.parameters.set(payloadType, parameters);
  }

  private readFeedback(value: string): void {
    const space = value.indexOf(' ');
    const text = value.slice(0, space);
    const payloadType = text === '*' ? '*' : decimal(text, 127);
    if (space < 0 || payloadType === undefined) return;
    const list = this.feedback.get(payloadType) ?? [];
    if (list.length < FEEDBACK_MAX) list.push(value.slice(space + 1).trim());
    this.feedback.set(payloadType, list);
  }

  private readExtension(value: string, line: SdpLine): void {
    const [idText = '', uri = ''] = value.split(/ +/);
    const [number, direction] = idText.split('/');
    const id = decimal(number, 255);
    if (id === undefined || id === 0 || uri === '') return;
    const way = direction !== undefined && isDirection(direction) ? { direction } : {};
    pushBounded(this.extensions, { id, uri, ...way }, EXTENSIONS_MAX, line);
  }

  private readSource(value: string, line: SdpLine): void {
    const space = value.indexOf(' ');
    const ssrc = decimal(space < 0 ? value : value.slice(0, space), UINT32_MAX);
    if (ssrc === undefined) return;
    const source = this.sources.get(ssrc) ?? { ssrc };
    if (this.sources.size >= SOURCES_MAX && !this.sources.has(ssrc)) throw badSdp(`more than ${SOURCES_MAX} sources`, line);
    this.sources.set(ssrc, source);
    const attribute = space < 0 ? '' : value.slice(space + 1);
    if (attribute.startsWith('cname:')) source.cname = attribute.slice('cname:'.length).trim();
    else if (attribute.startsWith('msid:')) source.msid = attribute.slice('msid:'.length).trim();
  }

  finish(): SdpMediaSection {
    const payloadFormats: SdpPayloadFormat[] = [];
    for (const text of new Set(this.section.formats)) {
      const payloadType = decimal(text, 127);
      const rtpmap = payloadType === undefined ? undefined : this.rtpmaps.get(payloadType);
      if (payloadType === undefined || rtpmap === undefined) continue;
      const parameters = this.parameters.get(payloadType) ?? new Map<string, string>();
      const feedback = [...new Set([...(this.feedback.get(payloadType) ?? []), ...(this.feedback.get('*') ?? [])])];
      payloadFormats.push({ payloadType, ...rtpmap, parameters, feedback });
    }
    const { extensions, sourceGroups, msids, rids } = this;
    const sources = [...this.sources.values()];
    return { ...this.section, ...this.transport.finish(), payloadFormats, extensions, sources, sourceGroups, msids, rids };
  }
}

/** `send h;m,m2;~l` → [[h], [m, m2], [l]] (RFC 8853 §5.1). Ids that are not well formed are left out. */
function readSimulcast(value: string): SdpSimulcast {
  const simulcast: Changing<SdpSimulcast> = {};
  const words = value.split(/ +/, 4);
  for (let index = 0; index + 1 < words.length; index += 2) {
    const direction = words[index];
    const streams = (words[index + 1] ?? '').split(';', RIDS_MAX).map((alternatives) =>
      alternatives
        .split(',', RIDS_MAX)
        .map((id) => id.replace(/^~/, ''))
        .filter((id) => RID.test(id)),
    );
    if (direction === 'send' || direction === 'recv') simulcast[direction] = streams.filter((alternatives) => alternatives.length > 0);
  }
  return simulcast;
}
