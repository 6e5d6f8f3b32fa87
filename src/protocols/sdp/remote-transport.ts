import { ProtocolError } from '../../core/mod.ts';
import type { SdpFingerprint, SdpIceCredentials, SdpMediaSection, SdpSetup, SessionDescription } from './session-description.ts';

/** A certificate's digest as the peer announced it. */
export interface RemoteFingerprint {
  readonly algorithm: 'sha-256' | 'sha-384' | 'sha-512';
  readonly value: Uint8Array;
}

/** Where and as whom the peer is reached. */
export interface RemoteTransport {
  readonly ice: SdpIceCredentials;
  readonly iceLite: boolean;
  readonly iceOptions: readonly string[];
  /** At least one; the strongest first. */
  readonly fingerprints: readonly [RemoteFingerprint, ...RemoteFingerprint[]];
  /** Our DTLS role. */
  readonly dtlsRole: 'server' | 'client';
  /** `candidate:…` lines' values. */
  readonly candidates: readonly string[];
  readonly endOfCandidates: boolean;
}

/** SHA-1 and older are refused: a certificate that collides can be made (RFC 8122 §5). */
const digestBytes: Readonly<Record<RemoteFingerprint['algorithm'], number>> = { 'sha-512': 64, 'sha-384': 48, 'sha-256': 32 };
const algorithms = Object.keys(digestBytes) as RemoteFingerprint['algorithm'][];

function readFingerprints(fingerprints: readonly SdpFingerprint[]): RemoteFingerprint[] {
  return algorithms.flatMap((algorithm) =>
    fingerprints
      .filter((fingerprint) => fingerprint.algorithm === algorithm)
      .map(({ value }) => ({ algorithm, value: Uint8Array.from(value.split(':'), (hex) => Number.parseInt(hex, 16)) }))
      .filter(({ value }) => value.length === digestBytes[algorithm]),
  );
}

/** In an offer `actpass` and `active` leave us the passive side, `passive` the active one (RFC 8842 §5.3); an answer mirrors the same. */
function dtlsRoleFor(setup: SdpSetup | undefined, defaultSetup: SdpSetup): 'server' | 'client' {
  const effective = setup ?? defaultSetup;
  if (effective === 'holdconn') throw new ProtocolError('sdp.bad', 'a=setup:holdconn cannot make a connection; offer actpass');
  return effective === 'passive' ? 'client' : 'server';
}

/**
 * The transport of a section: what it does not say itself, the session part says. Candidates are those of all sections with the same
 * credentials, as they share one transport. `defaultSetup` is what a missing `a=setup` means.
 * Throws `sdp.no-ice`, `sdp.no-fingerprint`, `sdp.bad`.
 */
export function transportOf(session: SessionDescription, section: SdpMediaSection, defaultSetup: SdpSetup): RemoteTransport {
  const ice = section.ice ?? session.ice;
  if (ice === undefined) throw new ProtocolError('sdp.no-ice', 'no a=ice-ufrag and a=ice-pwd; ICE is needed');
  const announced = section.fingerprints.length > 0 ? section.fingerprints : session.fingerprints;
  const [strongest, ...others] = readFingerprints(announced);
  if (strongest === undefined) {
    const found = announced.map(({ algorithm }) => algorithm).join(', ') || 'none';
    throw new ProtocolError('sdp.no-fingerprint', `a=fingerprint of sha-256, sha-384 or sha-512 is needed; there is ${found}`);
  }
  const shared = session.media.filter((one) => (one.ice ?? session.ice)?.ufrag === ice.ufrag);
  return {
    ice,
    iceLite: session.iceLite,
    iceOptions: section.iceOptions.length > 0 ? section.iceOptions : session.iceOptions,
    fingerprints: [strongest, ...others],
    dtlsRole: dtlsRoleFor(section.setup ?? session.setup, defaultSetup),
    candidates: [...new Set([...session.candidates, ...shared.flatMap(({ candidates }) => candidates)])],
    endOfCandidates: session.endOfCandidates || shared.some(({ endOfCandidates }) => endOfCandidates),
  };
}
