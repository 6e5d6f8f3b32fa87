import { areNewer, decodeVersioned, encodeVersioned, isName, readAmount, readCount, readText, type UnknownFields } from '../core/mod.ts';
import { type AppLimits, readLimits } from './app-limits.ts';

/** Who may play: everybody; who shows a signed token; pages of some domains; addresses of some networks. */
export const PLAYBACK_POLICIES = ['public', 'token', 'domains', 'networks'] as const;
export type PlaybackPolicy = (typeof PLAYBACK_POLICIES)[number];

/** What a second publisher of a live stream gets; `standby`: in a cluster it stands by at another node, else it is turned away. */
const SECOND_PUBLISHER_POLICIES = ['reject', 'takeover', 'standby'] as const;
export type SecondPublisherPolicy = (typeof SECOND_PUBLISHER_POLICIES)[number];

export interface Playback {
  readonly policy: PlaybackPolicy;
  /** With `domains`: `example.org`, or `*.example.org` for all below it. */
  readonly domains: readonly string[];
  /** With `networks`: `10.0.0.0/8`, `2001:db8::/32`, or a single address. */
  readonly networks: readonly string[];
}

export const TOKEN_ALGORITHMS = ['HS256', 'ES256', 'EdDSA'] as const;
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number];

/** A key that an app's tokens are checked with. */
export interface TokenKey {
  /** `kid` in the header of a token chooses it; without one, all keys of the algorithm are tried. */
  readonly id: string;
  readonly algorithm: TokenAlgorithm;
  /** HS256: the secret, whose UTF-8 bytes are the key. ES256 and EdDSA: the public key (SPKI, PEM). */
  readonly material: string;
  readonly createdAtMs: number;
}

/** What tokens of an app have to be like. */
export interface TokenSettings {
  /** What `iss` has to be; undefined: anything. */
  readonly issuer: string | undefined;
  /** What `aud` has to be or hold; undefined: a token needs none, and one that has it is for `sluice`. */
  readonly audience: string | undefined;
  /** Where further public keys are (RFC 7517). */
  readonly jwksUrl: string | undefined;
  readonly keys: readonly TokenKey[];
}

const RECORDING_MODES = ['off', 'always'] as const;

/** What of an app's streams is recorded. */
export interface RecordingSettings {
  readonly mode: (typeof RECORDING_MODES)[number];
  /** A file that is as long is followed by another one. */
  readonly fileMinutes: number;
  /** After so long a recording is deleted; 0: never. */
  readonly keepDays: number;
}

/** What the store keeps of an app, under `apps/NAME`. What is undefined is as the configuration says. */
export interface AppRecord {
  readonly v: 1;
  readonly name: string;
  readonly note: string;
  readonly publishFromLoopback: boolean | undefined;
  readonly secondPublisher: SecondPublisherPolicy | undefined;
  readonly playback: Playback;
  readonly tokens: TokenSettings;
  readonly limits: AppLimits | undefined;
  readonly recording: RecordingSettings | undefined;
  readonly createdAtMs: number;
  /** Of newer software: this node goes by what it understands of it, and does not change it. */
  readonly isNewer?: true;
}

export const APPS_PREFIX = 'apps/';
export const appKey = (name: string): string => `${APPS_PREFIX}${name}`;
export const PLAYBACK_ENTRIES_MAX = 100;
export const TOKEN_KEYS_MAX = 8;
export const NOTE_LENGTH_MAX = 100;
const TEXT_LENGTH_MAX = 512;
const MATERIAL_LENGTH_MAX = 4096;

export const PUBLIC_PLAYBACK: Playback = { policy: 'public', domains: [], networks: [] };
export const FILE_MINUTES_MAX = 1_440;
export const KEEP_DAYS_MAX = 3_650;
export const NO_RECORDING: RecordingSettings = { mode: 'off', fileMinutes: 60, keepDays: 0 };

export const NO_TOKENS: TokenSettings = { issuer: undefined, audience: undefined, jwksUrl: undefined, keys: [] };

export const newAppRecord = (name: string, createdAtMs: number): AppRecord => ({
  v: 1,
  name,
  note: '',
  publishFromLoopback: undefined,
  secondPublisher: undefined,
  playback: PUBLIC_PLAYBACK,
  tokens: NO_TOKENS,
  limits: undefined,
  recording: undefined,
  createdAtMs,
});

/** Of an app that this software understands. */
export const encodeAppRecord = (record: AppRecord): Uint8Array => encodeVersioned(record);

/**
 * Reads borrowed bytes; undefined for what is no app. One that needs a newer reader is an app all the same: its streams must not end, nor what its configuration
 * says count instead. A playback policy that is not known lets nobody play without a token.
 */
export function decodeAppRecord(bytes: Uint8Array): AppRecord | undefined {
  const fields = decodeVersioned(bytes, Number.POSITIVE_INFINITY);
  const name = readText(fields?.['name'], 64);
  if (fields === undefined || name === undefined || !isName(name)) return undefined;
  const { publishFromLoopback, secondPublisher } = fields;
  return {
    v: 1,
    name,
    note: readText(fields['note'], NOTE_LENGTH_MAX) ?? '',
    publishFromLoopback: typeof publishFromLoopback === 'boolean' ? publishFromLoopback : undefined,
    secondPublisher: SECOND_PUBLISHER_POLICIES.find((policy) => policy === secondPublisher),
    playback: readPlayback(objectOf(fields['playback'])),
    tokens: readTokens(objectOf(fields['tokens'])),
    limits: fields['limits'] === undefined ? undefined : readLimits(objectOf(fields['limits'])),
    recording: fields['recording'] === undefined ? undefined : readRecording(objectOf(fields['recording'])),
    createdAtMs: readAmount(fields['createdAtMs']) ?? 0,
    ...(areNewer(fields) ? { isNewer: true } : {}),
  };
}

const objectOf = (value: unknown): UnknownFields => (typeof value === 'object' && value !== null ? (value as UnknownFields) : {});

function readPlayback(fields: UnknownFields): Playback {
  return {
    policy: PLAYBACK_POLICIES.find((policy) => policy === fields['policy']) ?? 'token',
    domains: texts(fields['domains']),
    networks: texts(fields['networks']),
  };
}

/** A mode that is not known records nothing. */
function readRecording(fields: UnknownFields): RecordingSettings {
  const [fileMinutes, keepDays] = [readCount(fields['fileMinutes']), readCount(fields['keepDays'])];
  return {
    mode: RECORDING_MODES.find((mode) => mode === fields['mode']) ?? 'off',
    fileMinutes: fileMinutes === undefined || fileMinutes === 0 ? NO_RECORDING.fileMinutes : Math.min(fileMinutes, FILE_MINUTES_MAX),
    keepDays: Math.min(keepDays ?? NO_RECORDING.keepDays, KEEP_DAYS_MAX),
  };
}

function readTokens(fields: UnknownFields): TokenSettings {
  const keys: readonly unknown[] = Array.isArray(fields['keys']) ? fields['keys'] : [];
  return {
    issuer: readText(fields['issuer'], TEXT_LENGTH_MAX),
    audience: readText(fields['audience'], TEXT_LENGTH_MAX),
    jwksUrl: readText(fields['jwksUrl'], TEXT_LENGTH_MAX),
    keys: keys.map((key) => readTokenKey(objectOf(key))).filter((key) => key !== undefined),
  };
}

function readTokenKey(fields: UnknownFields): TokenKey | undefined {
  const id = readText(fields['id'], 64);
  const material = readText(fields['material'], MATERIAL_LENGTH_MAX);
  const algorithm = TOKEN_ALGORITHMS.find((known) => known === fields['algorithm']);
  if (id === undefined || material === undefined || algorithm === undefined) return undefined;
  return { id, algorithm, material, createdAtMs: readAmount(fields['createdAtMs']) ?? 0 };
}

const texts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((text): text is string => typeof text === 'string' && text.length <= TEXT_LENGTH_MAX) : [];
