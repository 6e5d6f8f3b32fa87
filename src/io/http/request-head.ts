/** Where a request that {@link readRequestHead} understood ends, and what it asks for. */
export interface RequestHead {
  readonly isHead: boolean;
  /** Raw, not percent-decoded, without the query. */
  readonly path: string;
  /** What follows `?`, or ''. */
  readonly query: string;
  /** The first `User-Agent`, or ''. */
  readonly userAgent: string;
  /** The first `CMCD-Session`, or ''. */
  readonly cmcdSession: string;
  /** Offset of the first byte behind the empty line. */
  readonly end: number;
}

const CR = 0x0d;
const LF = 0x0a;
const TAB = 0x09;
const SPACE = 0x20;
const COLON = 0x3a;
const QUESTION_MARK = 0x3f;
const SLASH = 0x2f;
const DELETE = 0x7f;

const IN_TOKEN = 1;
const IN_TARGET = 2;
/** By byte: RFC 9110's `tchar`, and what RFC 3986 allows in a path or query. */
const CLASSES = byteClasses();

const GET = bytesOf('GET ');
const HEAD = bytesOf('HEAD ');
const VERSION = bytesOf(' HTTP/1.1\r\n');
const KEEP_ALIVE = bytesOf('keep-alive');
const HOST = bytesOf('host');
const USER_AGENT = bytesOf('user-agent');
const CMCD_SESSION = bytesOf('cmcd-session');
const CONNECTION = bytesOf('connection');
/** They give the request a body, change the connection, or ask for another answer than the whole one. */
const FOREIGN = [
  ...['content-length', 'transfer-encoding', 'te', 'trailer', 'expect', 'upgrade', 'http2-settings', 'proxy-connection', 'range'],
].map(bytesOf);
/** By length of name: the headers to look at more closely. Most names of a browser's request are told apart by it alone. */
const CLOSER = new Set([HOST, USER_AGENT, CMCD_SESSION, CONNECTION, ...FOREIGN].map(({ length }) => length));

/**
 * Reads the head of a GET or HEAD request (RFC 9112) that lies whole in `bytes` from `from` on. Undefined for everything that it does not
 * understand completely: it takes only a part of what the grammar allows, in which all parsers agree where the request
 * ends and what it asks for. So: HTTP/1.1 by the letter, a target in origin form, CRLF everywhere, printable ASCII, exactly one
 * `Host`, nothing that announces a body, an upgrade or a last request, no range, at most `bytesMax` bytes.
 */
export function readRequestHead(bytes: Buffer, from: number, bytesMax: number): RequestHead | undefined {
  const limit = Math.min(bytes.length, from + bytesMax);
  const isHead = !startsWith(bytes, from, limit, GET);
  if (isHead && !startsWith(bytes, from, limit, HEAD)) return undefined;
  const target = from + (isHead ? HEAD.length : GET.length);
  if (bytes[target] !== SLASH) return undefined;
  let at = target;
  let queryAt = -1;
  for (; at < limit && isOf(bytes[at], IN_TARGET); at++) if (queryAt < 0 && bytes[at] === QUESTION_MARK) queryAt = at;
  const targetEnd = at;
  if (!startsWith(bytes, at, limit, VERSION)) return undefined;
  const fields = readFields(bytes, at + VERSION.length, limit);
  if (fields === undefined) return undefined;
  return {
    isHead,
    path: latin1(bytes, target, queryAt < 0 ? targetEnd : queryAt),
    query: queryAt < 0 ? '' : latin1(bytes, queryAt + 1, targetEnd),
    userAgent: latin1(bytes, fields.agentFrom, fields.agentTo),
    cmcdSession: latin1(bytes, fields.sessionFrom, fields.sessionTo),
    end: fields.end,
  };
}

interface Fields {
  readonly agentFrom: number;
  readonly agentTo: number;
  readonly sessionFrom: number;
  readonly sessionTo: number;
  readonly end: number;
}

function readFields(bytes: Uint8Array, from: number, limit: number): Fields | undefined {
  let agentFrom = 0;
  let agentTo = 0;
  let sessionFrom = 0;
  let sessionTo = 0;
  let hosts = 0;
  let at = from;
  while (bytes[at] !== CR) {
    const name = at;
    while (at < limit && isOf(bytes[at], IN_TOKEN)) at++;
    const nameEnd = at;
    if (nameEnd === name || at >= limit || bytes[at] !== COLON) return undefined;
    at++;
    while (at < limit && isBlank(bytes[at])) at++;
    const value = at;
    while (at < limit && isText(bytes[at])) at++;
    if (at + 1 >= limit || bytes[at] !== CR || bytes[at + 1] !== LF) return undefined;
    if (CLOSER.has(nameEnd - name)) {
      if (isNamed(bytes, name, nameEnd, HOST)) hosts++;
      else if (isNamed(bytes, name, nameEnd, USER_AGENT)) {
        if (agentTo === 0) [agentFrom, agentTo] = [value, at];
      } else if (isNamed(bytes, name, nameEnd, CMCD_SESSION)) {
        if (sessionTo === 0) [sessionFrom, sessionTo] = [value, at];
      } else if (isNamed(bytes, name, nameEnd, CONNECTION)) {
        if (!isNamed(bytes, value, at, KEEP_ALIVE)) return undefined;
      } else if (FOREIGN.some((foreign) => isNamed(bytes, name, nameEnd, foreign))) return undefined;
    }
    at += 2;
  }
  if (at + 1 >= limit || bytes[at + 1] !== LF || hosts !== 1) return undefined;
  return { agentFrom, agentTo, sessionFrom, sessionTo, end: at + 2 };
}

const isOf = (byte: number | undefined, kind: number): boolean => ((CLASSES[byte ?? 0] ?? 0) & kind) !== 0;
const isBlank = (byte: number | undefined): boolean => byte === SPACE || byte === TAB;
const isText = (byte = 0): boolean => (byte >= SPACE && byte < DELETE) || byte === TAB;

function startsWith(bytes: Uint8Array, at: number, limit: number, word: Uint8Array): boolean {
  if (at + word.length > limit) return false;
  for (let i = 0; i < word.length; i++) if (bytes[at + i] !== word[i]) return false;
  return true;
}

/** Whether the bytes are `word`, which is in lower case, in any case. */
function isNamed(bytes: Uint8Array, from: number, to: number, word: Uint8Array): boolean {
  if (to - from !== word.length) return false;
  for (let i = 0; i < word.length; i++) if (lowerCase(bytes[from + i] ?? 0) !== word[i]) return false;
  return true;
}

const lowerCase = (byte: number): number => (byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte);

const latin1 = (bytes: Buffer, from: number, to: number): string => (from === to ? '' : bytes.toString('latin1', from, to));

function bytesOf(word: string): Uint8Array {
  return Buffer.from(word, 'latin1');
}

function byteClasses(): Uint8Array {
  const classes = new Uint8Array(256);
  const add = (characters: string, kind: number): void => {
    for (const byte of bytesOf(characters)) classes[byte] = (classes[byte] ?? 0) | kind;
  };
  const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
  add(`${alphanumeric}!#$%&'*+-.^_\`|~`, IN_TOKEN);
  add(`${alphanumeric}-._~!$&'()*+,;=:@/?%`, IN_TARGET);
  return classes;
}
