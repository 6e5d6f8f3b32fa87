import { type StreamAddress, whipPath } from '../stream-address/stream-address.ts';
import { NO_OUTBOUND, type OutboundFigures, type OutboundSample, outboundFigures } from '../webrtc/outbound-figures.ts';
import { PeerLink } from '../webrtc/peer-link.ts';
import { withStartBitrate } from '../webrtc/sdp-lines.ts';
import { entriesOf } from '../webrtc/stats-entry.ts';
import { codecChoices, preferring } from './codec-choice.ts';
import { openSource, type PublishSource, SourceRefused } from './media-source.ts';
import { PUBLISH_DEFAULTS, PublishMachine, type PublishOutput, type PublishPhase, type PublishState } from './publish-machine.ts';
import { type PublishProblem, SOURCE_ENDED, sourceProblem } from './publish-problem.ts';
import { encodingsOf, type PublishSettings } from './publish-settings.ts';

/** Everything the page shows, as one immutable object that is replaced whenever something in it changed. */
export interface PublishSnapshot {
  readonly state: PublishState;
  readonly settings: PublishSettings;
  /** For the preview. */
  readonly stream: MediaStream | undefined;
  /** The source is being opened. */
  readonly isOpening: boolean;
  readonly sourceProblem: PublishProblem | undefined;
  readonly figures: OutboundFigures;
  readonly cameras: readonly MediaDeviceInfo[];
  readonly microphones: readonly MediaDeviceInfo[];
  readonly codecs: readonly string[];
}

/** For tests: `window.sluice` on the publish page. */
export interface PublishFigures extends OutboundFigures {
  readonly phase: PublishPhase;
  /** Code of what stands in the way, or `undefined`. */
  readonly problem: string | undefined;
  readonly reconnects: number;
}

const SAMPLE_MS = 1000;
const ANSWER_MS_MAX = 8000;
const AUDIO_BPS_MAX = 128_000;
// Begun a little below what was asked for, so that a narrower network is not flooded at once.
const START_SHARE = 0.6;

/** Publishes one stream from one page: ties the machine to the source, the connection, the clock and the browser's events. */
export class PublishSession implements PublishOutput {
  readonly address: StreamAddress;
  readonly #machine: PublishMachine;
  readonly #listeners = new Set<() => void>();
  #snapshot: PublishSnapshot;
  #source: PublishSource | undefined;
  #link: PeerLink | undefined;
  #sender: RTCRtpSender | undefined;
  #key = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #poll: ReturnType<typeof setInterval> | undefined;
  #sample: OutboundSample | undefined;
  /** Counts openings of the source, so that one that comes too late is closed again. */
  #generation = 0;

  constructor(address: StreamAddress, settings: PublishSettings) {
    this.address = address;
    this.#machine = new PublishMachine(this, { ...PUBLISH_DEFAULTS, random: Math.random });
    const codecs = typeof RTCRtpSender === 'function' ? codecChoices(RTCRtpSender.getCapabilities('video')?.codecs ?? []) : [];
    this.#snapshot = {
      state: this.#machine.state,
      settings: codecs.includes(settings.codec) ? settings : { ...settings, codec: codecs[0] ?? '' },
      stream: undefined,
      isOpening: false,
      sourceProblem: undefined,
      figures: NO_OUTBOUND,
      cameras: [],
      microphones: [],
      codecs,
    };
    navigator.mediaDevices?.addEventListener('devicechange', () => void this.#listDevices());
    void this.#listDevices();
    // Asking for a camera is left to the publisher; the test picture disturbs nobody.
    if (settings.source === 'test') void this.openPreview();
  }

  /** For React's `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly snapshot = (): PublishSnapshot => this.#snapshot;

  readonly figures = (): PublishFigures => {
    const { state, figures, sourceProblem: source } = this.#snapshot;
    return { ...figures, phase: state.phase, problem: (source ?? state.problem)?.code, reconnects: state.reconnects };
  };

  // What the publisher does.

  /** Changes settings; a source that was open is opened anew where they concern it. */
  readonly change = (change: Partial<PublishSettings>): void => {
    const settings = { ...this.#snapshot.settings, ...change };
    this.#change({ settings });
    if (change.bitrateBps !== undefined) void this.#applyEncoding();
    const concernsSource = ['source', 'cameraId', 'microphoneId', 'withSound', 'height', 'framesPerSecond'].some((key) => key in change);
    if (!concernsSource) return;
    const wasOpen = this.#source !== undefined || this.#snapshot.isOpening;
    this.#closeSource();
    if (settings.source === 'test' || (wasOpen && change.source === undefined)) void this.openPreview();
  };

  /** Opens the source for the preview; resolves to whether that worked. */
  readonly openPreview = async (): Promise<boolean> => {
    if (this.#source) return true;
    const generation = ++this.#generation;
    this.#change({ isOpening: true, sourceProblem: undefined });
    try {
      const source = await openSource(this.#snapshot.settings, this.address.path);
      if (generation !== this.#generation) {
        source.close();
        return false;
      }
      this.#source = source;
      for (const track of source.stream.getTracks()) track.addEventListener('ended', this.#onSourceEnded, { once: true });
      this.#change({ stream: source.stream, isOpening: false });
      void this.#listDevices();
      return true;
    } catch (error) {
      if (generation !== this.#generation) return false;
      const problem = error instanceof SourceRefused ? error.problem : sourceProblem('', String(error));
      this.#change({ isOpening: false, sourceProblem: problem });
      return false;
    }
  };

  /** Goes live with the bearer token `key` (none when empty). */
  readonly start = async (key: string): Promise<void> => {
    this.#key = key;
    if (await this.openPreview()) this.#step(() => this.#machine.start(performance.now()));
  };

  readonly stop = (): void => {
    this.#step(() => this.#machine.stop());
    if (this.#snapshot.settings.source !== 'test') this.#closeSource();
  };

  // What the machine wants done.

  connect(): void {
    this.disconnect();
    const link: PeerLink = new PeerLink(
      {
        connected: () => {
          this.#step(() => this.#machine.connected());
          void this.#applyEncoding();
        },
        interrupted: () => this.#step(() => this.#machine.interrupted(performance.now())),
        broken: (detail) => this.#step(() => this.#machine.broken(detail, performance.now())),
        refused: ({ status, message, retryAfterMs }) =>
          this.#step(() => this.#machine.refused(status, message, retryAfterMs, performance.now())),
      },
      {
        endpoint: new URL(whipPath(this.address), location.href).href,
        token: this.#key,
        fetch: fetch.bind(window),
        answerMsMax: ANSWER_MS_MAX,
        prepare: (peer) => this.#addTracks(peer),
        adaptAnswer: (answer) => withStartBitrate(answer, this.#snapshot.settings.bitrateBps * START_SHARE),
      },
    );
    this.#link = link;
    this.#poll = setInterval(() => void this.#readStats(), SAMPLE_MS);
    void link.open();
  }

  disconnect(): void {
    clearInterval(this.#poll);
    this.#link?.close();
    this.#link = undefined;
    this.#sender = undefined;
    this.#sample = undefined;
    this.#change({ figures: NO_OUTBOUND });
  }

  changed(state: PublishState): void {
    this.#change({ state });
  }

  #addTracks(peer: RTCPeerConnection): void {
    const { settings } = this.#snapshot;
    const stream = this.#source?.stream;
    if (!stream) return;
    const streams = [stream];
    for (const track of stream.getAudioTracks()) {
      peer.addTransceiver(track, { direction: 'sendonly', streams, sendEncodings: [{ maxBitrate: AUDIO_BPS_MAX }] });
    }
    for (const track of stream.getVideoTracks()) {
      const transceiver = peer.addTransceiver(track, { direction: 'sendonly', streams, sendEncodings: encodingsOf(settings) });
      const codecs = RTCRtpSender.getCapabilities('video')?.codecs;
      if (codecs) transceiver.setCodecPreferences?.(preferring(codecs, settings.codec));
      this.#sender = transceiver.sender;
    }
  }

  async #applyEncoding(): Promise<void> {
    const parameters = this.#sender?.getParameters() as (RTCRtpSendParameters & { degradationPreference?: string }) | undefined;
    if (!parameters) return;
    // Each change of the picture's size is a new beginning for those who watch by HLS or RTMP; fewer frames are the lesser evil.
    parameters.degradationPreference = 'maintain-resolution';
    encodingsOf(this.#snapshot.settings).forEach(({ maxBitrate }, at) => {
      const encoding = parameters.encodings[at];
      if (encoding && maxBitrate !== undefined) encoding.maxBitrate = maxBitrate;
    });
    // An encoder that cannot be changed any more keeps what it had.
    await this.#sender?.setParameters(parameters).catch(() => undefined);
  }

  async #readStats(): Promise<void> {
    const link = this.#link;
    const report = await link?.peer.getStats().catch(() => undefined);
    if (!report || link !== this.#link) return;
    const sample = { atMs: performance.now(), entries: entriesOf(report) };
    this.#change({ figures: outboundFigures(sample, this.#sample) });
    this.#sample = sample;
  }

  async #listDevices(): Promise<void> {
    const devices = await navigator.mediaDevices?.enumerateDevices().catch(() => []);
    // Before the first permission a browser tells of devices without names or ids; there is nothing to choose between then.
    const named = (devices ?? []).filter(({ deviceId, label }) => deviceId !== '' && label !== '');
    this.#change({
      cameras: named.filter(({ kind }) => kind === 'videoinput'),
      microphones: named.filter(({ kind }) => kind === 'audioinput'),
    });
  }

  readonly #onSourceEnded = (): void => {
    this.#closeSource();
    if (this.#machine.state.phase === 'idle') return;
    this.#step(() => this.#machine.stop(SOURCE_ENDED));
  };

  #closeSource(): void {
    this.#generation += 1;
    for (const track of this.#source?.stream.getTracks() ?? []) track.removeEventListener('ended', this.#onSourceEnded);
    this.#source?.close();
    this.#source = undefined;
    this.#change({ stream: undefined, isOpening: false, sourceProblem: undefined });
  }

  /** Calls the machine, then sees to its next wake-up. */
  #step(act: () => void): void {
    act();
    clearTimeout(this.#timer);
    const { wakeAt } = this.#machine;
    if (wakeAt === undefined) return;
    const wake = (): void => this.#step(() => this.#machine.tick(performance.now()));
    this.#timer = setTimeout(wake, Math.max(0, wakeAt - performance.now()) + 1);
  }

  #change(change: Partial<PublishSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}
