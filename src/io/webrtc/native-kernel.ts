import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The addon's class (native/src/addon.cc): positional arguments, and Float64Arrays that it fills. */
export interface NativeKernel {
  fingerprint(): string;
  usesSegmentation(): boolean;
  bind(ip: string, port: number, socketAndPort: Float64Array): number;
  unbind(socket: number): void;
  sendDatagram(socket: number, ip: string, port: number, bytes: Uint8Array): boolean;
  addSession(socket: number, isClient: boolean, algorithm: number, fingerprint: Uint8Array, deliversPackets: boolean): number;
  removeSession(session: number): void;
  allowSource(session: number, ip: string, port: number): void;
  selectDestination(session: number, ip: string, port: number): void;
  selectTcp(session: number): void;
  receiveDatagram(session: number, bytes: Uint8Array): void;
  startDtls(session: number): void;
  sendRtcp(session: number, compound: Uint8Array): boolean;
  sendRtp(session: number, packet: Uint8Array): boolean;
  tick(): void;
  addGroup(packetsMax: number, bytesMax: number): number;
  removeGroup(group: number): void;
  append(
    group: number,
    payloads: Uint8Array,
    lengths: Uint16Array,
    count: number,
    timestamp: number,
    isKeyframe: boolean,
    marksEnd: boolean,
    captureMs: number,
  ): number;
  pump(group: number): number;
  addFlow(...options: readonly (number | boolean | string)[]): number;
  removeFlow(flow: number): void;
  switchFlow(flow: number, group: number, fromIndex: number, timestampOffset: number): void;
  setPace(flow: number, pacePackets: number): void;
  pauseFlow(flow: number, isPaused: boolean): void;
  retransmit(flow: number, sequenceNumbers: Uint16Array, count: number): number;
  groupStats(group: number, out: Float64Array): boolean;
  flowStats(flow: number, out: Float64Array): boolean;
  sessionStats(session: number, out: Float64Array): boolean;
  sentPackets(session: number, firstSequenceNumber: number, count: number, sentUs: Float64Array, sizes: Uint16Array): void;
  receiverCounts(session: number, out: Float64Array): number;
  stats(out: Float64Array): void;
  close(): void;
}

/** What the addon calls. */
export interface NativeListener {
  stun(socket: number, ip: string, port: number, bytes: Uint8Array): void;
  rtp(session: number, bytes: Uint8Array, arrivalUs: number): void;
  rtcp(session: number, bytes: Uint8Array, arrivalUs: number): void;
  connected(session: number, profile: number): void;
  closed(session: number, reason: number): void;
  datagram(session: number, bytes: Uint8Array): void;
  drained(socket: number): void;
}

/** The addon as `require` gives it. */
export interface NativeModule {
  readonly NativeKernel: new (
    listener: NativeListener,
    sessionsMax: number,
    wantsSegmentation: boolean,
    sourcesPerSessionMax: number,
    srtpProfiles: string,
  ) => NativeKernel;
  /** Files in memory that sockets are sent from, which `src/io/shared-file.ts` wraps; an addon of an earlier version has none. */
  readonly makeSharedFile?: (pieces: readonly Uint8Array[]) => number;
  closeSharedFile(file: number): void;
  sendSharedFile(socket: number, file: number, from: number, length: number): number;
  sendSharedFileToAll(sockets: Int32Array, count: number, file: number, from: number, length: number): void;
}

const ADVICE =
  'WebRTC needs its native kernel: install a C++ compiler (Debian, Ubuntu: apt-get install g++; macOS: xcode-select --install) and start again';

let loaded: NativeModule | string | undefined;

/** The addon, loaded once; a string says why it cannot be had and what to do. */
export function loadNative(): NativeModule | string {
  loaded ??= load();
  return loaded;
}

function load(): NativeModule | string {
  if (process.platform === 'win32') return 'WebRTC runs on Linux and macOS only: use one of these, a container or WSL';
  const path = find();
  if (path === undefined) return ADVICE;
  try {
    return createRequire(import.meta.url)(path) as NativeModule;
  } catch (cause) {
    // E.g. built for another processor, or a Node.js that keeps its OpenSSL to itself (some distributions' packages link it dynamically and hide it).
    return `${path} does not load into this Node.js (${cause instanceof Error ? cause.message : String(cause)}): delete it and start again, or use Node.js from https://nodejs.org`;
  }
}

/** Packed with the package, or built in the checkout. This file runs from src/io/webrtc (tests) or dist/io/webrtc. */
function find(): string | undefined {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..');
  const places = [
    join(root, 'native', 'prebuilt', `${process.platform}-${process.arch}`, 'kernel.node'),
    join(root, 'dist', 'native', 'kernel.node'),
  ];
  return places.find((path) => existsSync(path));
}
