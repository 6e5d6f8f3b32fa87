/** What the viewer asked for. */
export type TransportChoice = 'auto' | 'webrtc' | 'hls';

/** What is used. */
export type Transport = 'webrtc' | 'hls';

/** What the server says about playing a stream by WebRTC: not asked or not answered, not offered at all, or each medium's own case. */
export type WebrtcAccount = 'unknown' | 'off' | { readonly video: MediumAccount; readonly audio: MediumAccount };

/** `missing` says in words why the medium cannot be sent; a stream without the medium misses nothing. */
export type MediumAccount =
  | { readonly kind: 'playable' }
  | { readonly kind: 'none' }
  | { readonly kind: 'missing'; readonly message: string };

/** What to play by, and what to tell the viewer about it. */
export interface TransportDecision {
  readonly transport: Transport;
  /** Why it is not WebRTC, though WebRTC comes first. */
  readonly reason?: string;
  /** What WebRTC leaves out and why, one sentence each. */
  readonly missing: readonly string[];
  /** WebRTC was asked for and cannot play anything of the stream. */
  readonly impossible?: string;
}

/** `auto` for whatever is not a choice. */
export const parseTransportChoice = (text: string | null): TransportChoice => (text === 'webrtc' || text === 'hls' ? text : 'auto');

// A server that says a stream is there, and then twice that it is not, has it in another form only.
const ABSENCES_MAX = 2;

/** Chooses between WebRTC and HLS: from what the viewer asked for, what the server says, and what went wrong so far. */
export class TransportPolicy {
  choice: TransportChoice;
  account: WebrtcAccount = 'unknown';
  readonly #browserCan: boolean;
  #trouble: string | undefined;
  #absences = 0;
  #isUnproven = false;

  constructor(choice: TransportChoice, browserCan: boolean) {
    this.choice = choice;
    this.#browserCan = browserCan;
  }

  /** What to play by now. */
  decide(): TransportDecision {
    if (this.choice === 'hls') return { transport: 'hls', missing: [] };
    const obstacle = this.#obstacle();
    const missing = missingWords(this.account);
    if (this.choice === 'webrtc') {
      const impossible = obstacle ?? (isNothingPlayable(this.account) ? missing.join(' ') : undefined);
      return { transport: 'webrtc', missing, ...(impossible === undefined ? {} : { impossible }) };
    }
    const reason = obstacle ?? this.#trouble ?? (missing.length > 0 ? missing.join(' ') : undefined);
    return reason === undefined ? { transport: 'webrtc', missing } : { transport: 'hls', reason, missing: [] };
  }

  /** The viewer chose; what went wrong before is forgotten. */
  choose(choice: TransportChoice): void {
    this.choice = choice;
    this.#forget();
  }

  /** A stream is being loaded; whether WebRTC works is not known until a picture came. */
  loading(transport: Transport): void {
    if (this.#isUnproven) this.failed('no picture came by WebRTC');
    this.#isUnproven = transport === 'webrtc' && this.#trouble === undefined;
  }

  /** A picture is on the screen. */
  proven(): void {
    this.#isUnproven = false;
    this.#absences = 0;
  }

  failed(detail: string): void {
    this.#isUnproven = false;
    this.#trouble = `WebRTC failed: ${detail}`;
  }

  /** The server has no such stream to play by WebRTC. */
  absent(): void {
    this.#isUnproven = false;
    this.#absences += 1;
  }

  /** The stream ended or is not there: the next one may be played by WebRTC again. */
  waiting(): void {
    this.#isUnproven = false;
    this.#trouble = this.#absences >= ABSENCES_MAX ? 'The server has this stream, but not for WebRTC.' : undefined;
  }

  #forget(): void {
    this.#trouble = undefined;
    this.#absences = 0;
    this.#isUnproven = false;
  }

  #obstacle(): string | undefined {
    if (!this.#browserCan) return 'This browser has no WebRTC.';
    return this.account === 'off' ? 'This server does not offer WebRTC.' : undefined;
  }
}

function missingWords(account: WebrtcAccount): readonly string[] {
  if (account === 'unknown' || account === 'off') return [];
  return [account.video, account.audio].flatMap((medium) => (medium.kind === 'missing' ? [medium.message] : []));
}

function isNothingPlayable(account: WebrtcAccount): boolean {
  return account !== 'unknown' && account !== 'off' && account.video.kind !== 'playable' && account.audio.kind !== 'playable';
}
