import { type CapturedSource, captureLatencyMs } from '../webrtc/capture-latency.ts';
import { type InboundFigures, type InboundSample, inboundFigures } from '../webrtc/inbound-figures.ts';
import type { LayerList } from '../webrtc/layer-list.ts';
import { PeerLink } from '../webrtc/peer-link.ts';
import { withStereo } from '../webrtc/sdp-lines.ts';
import { entriesOf } from '../webrtc/stats-entry.ts';
import type { ResourceRefused } from '../webrtc/webrtc-resource.ts';
import type { ConnectionFigures, Engine, EngineFigures, EngineListener, Quality } from './engine.ts';
import { LayerMenu } from './layer-menu.ts';
import { WHEP_LIMITS, WhepMachine, type WhepOutput } from './whep-machine.ts';

const SAMPLE_MS = 500;
const ANSWER_MS_MAX = 4000;
// Qualities seldom come and go. A change of the picture's size, and who opens the menu or the figures, is not kept waiting.
const LAYERS_EACH_MS = 15_000;
// Rates are told over about a second, as over half of one they are too restless to be read.
const SAMPLES_KEPT = 3;
// A connection that is to replace another one has so long to show something.
const TAKE_OVER_MS_MAX = 8000;
const TAKE_OVER_EACH_MS = 100;

/** What a receiver can be asked for beyond the DOM's types: Chromium has both, Safari and Firefox the second or none. */
interface LowLatencyReceiver {
  playoutDelayHint?: number | null;
  jitterBufferTarget?: number | null;
}

/** Whether this browser has what WHEP needs. */
export const whepEngineWorks = (): boolean => typeof RTCPeerConnection === 'function';

/** Plays by WebRTC, with as little delay as the browser allows. */
export class WhepEngine implements Engine, WhepOutput {
  readonly protocol = 'WebRTC';
  readonly tellsProgress = true;
  readonly isOver = false;
  readonly #video: HTMLVideoElement;
  readonly #url: string;
  readonly #listener: EngineListener;
  readonly #machine: WhepMachine = new WhepMachine(this, WHEP_LIMITS);
  readonly #polls: readonly ReturnType<typeof setInterval>[];
  readonly #menu = new LayerMenu();
  /** Counts questions about layers: only the newest one's answer counts. */
  #asked = 0;
  /** Choices that the server has not answered yet. */
  #choices = 0;
  #link: PeerLink | undefined;
  /** To take the link's place as soon as it shows something. */
  #next: PeerLink | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #samples: InboundSample[] = [];
  #figures: InboundFigures = { received: 0 };

  constructor(video: HTMLVideoElement, url: string, listener: EngineListener) {
    this.#video = video;
    this.#url = url;
    this.#listener = listener;
    this.#polls = [
      setInterval(() => void this.#sample(), SAMPLE_MS),
      setInterval(() => document.hidden || this.refreshQualities(), LAYERS_EACH_MS),
    ];
    video.addEventListener('resize', this.#onResize);
    this.resumeLoading();
  }

  get qualities(): readonly Quality[] {
    return this.#menu.qualities;
  }

  get playing(): number {
    return this.#menu.playing;
  }

  get chosen(): number {
    return this.#menu.chosen;
  }

  choose(index: number): void {
    this.#menu.choose(index);
    this.#choices += 1;
    // Where a choice cannot be made, what there is to choose from has changed.
    const choose = async (link: PeerLink): Promise<LayerList | undefined> =>
      (await link.selectLayer(this.#menu.chosenId)) ?? (await link.layers());
    void this.#askLayers(choose).finally(() => {
      this.#choices -= 1;
    });
  }

  refreshQualities(): void {
    // The answer to a choice says the same, and a question that overtook the choice would be answered wrongly.
    if (this.#choices === 0) void this.#askLayers((link) => link.layers());
  }

  liveSeconds(): undefined {
    return undefined;
  }

  figures(): EngineFigures {
    const { bitrateBps, codecs } = this.#figures;
    return {
      ...(bitrateBps === undefined ? {} : { bitrateBps }),
      ...(codecs === undefined ? {} : { codecs }),
      ...(this.#menu.reason === undefined ? {} : { qualityReason: this.#menu.reason }),
      connection: this.#connectionFigures(),
    };
  }

  recoverMedia(): void {
    this.resumeLoading();
  }

  resumeLoading(): void {
    this.#step(() => this.#machine.resume(performance.now()));
  }

  destroy(): void {
    this.#machine.close();
    this.#asked += 1;
    for (const poll of this.#polls) clearInterval(poll);
    this.#video.removeEventListener('resize', this.#onResize);
    clearTimeout(this.#timer);
    this.#video.srcObject = null;
    this.#link?.close();
    this.#dropNext();
  }

  // What the machine wants done.

  connect(): void {
    this.#link?.close();
    this.#dropNext();
    this.#samples = [];
    this.#link = this.#makeLink();
    void this.#link.open();
  }

  #makeLink(): PeerLink {
    const link: PeerLink = new PeerLink(
      {
        connected: () => {
          if (link === this.#next) void this.#takeOver(link);
          else this.#step(() => this.#onConnected(link));
        },
        interrupted: () => {
          if (link !== this.#next) this.#step(() => this.#machine.interrupted(performance.now()));
        },
        broken: (detail) => {
          if (link === this.#next) this.#dropNext();
          else this.#step(() => this.#machine.broken(detail, performance.now()));
        },
        refused: (refusal) => {
          if (link === this.#next) this.#dropNext();
          else this.#step(() => this.#onRefused(refusal));
        },
      },
      {
        endpoint: new URL(this.#url, location.href).href,
        fetch: fetch.bind(window),
        answerMsMax: ANSWER_MS_MAX,
        prepare: (peer) => {
          for (const kind of ['audio', 'video']) hurry(peer.addTransceiver(kind, { direction: 'recvonly' }).receiver);
        },
        adaptOffer: withStereo,
      },
    );
    return link;
  }

  lost(detail: string): void {
    this.#listener.failed('network', detail);
  }

  absent(): void {
    this.#listener.absent();
  }

  failed(detail: string): void {
    this.#listener.unusable(detail);
  }

  progressed(): void {
    this.#listener.progressed();
  }

  stalled(): void {
    this.#listener.starved();
  }

  #onConnected(link: PeerLink): void {
    this.#machine.connected(performance.now());
    // A new session knows nothing of what was chosen in the one before.
    if (this.#menu.chosenId === undefined) this.refreshQualities();
    else this.choose(this.#menu.chosen);
    const tracks = link.peer
      .getTransceivers()
      .filter(({ currentDirection }) => currentDirection === 'recvonly')
      .map(({ receiver }) => receiver.track);
    const playing = this.#video.srcObject instanceof MediaStream ? this.#video.srcObject.getTracks() : [];
    if (tracks.length === playing.length && tracks.every((track) => playing.includes(track))) return;
    this.#video.srcObject = new MediaStream(tracks);
    this.#listener.ready();
  }

  /** The session ends soon: a new one is made, which leads elsewhere, and this one goes on until that shows something. */
  #move(): void {
    if (this.#next) return;
    this.#next = this.#makeLink();
    void this.#next.open();
  }

  async #takeOver(next: PeerLink): Promise<void> {
    const isShowing = await showsSomething(next.peer, () => next === this.#next);
    if (next !== this.#next) return;
    // Asked again, the server asks again to move.
    if (!isShowing) return this.#dropNext();
    const old = this.#link;
    this.#next = undefined;
    this.#link = next;
    this.#samples = [];
    this.#step(() => this.#onConnected(next));
    old?.close();
  }

  #dropNext(): void {
    this.#next?.close();
    this.#next = undefined;
  }

  #onRefused({ status, message }: ResourceRefused): void {
    this.#machine.refused(status, message, performance.now());
  }

  readonly #onResize = (): void => this.refreshQualities();

  async #askLayers(ask: (link: PeerLink) => Promise<LayerList | undefined>): Promise<void> {
    const link = this.#link;
    if (!link) return;
    this.#asked += 1;
    const asked = this.#asked;
    const list = await ask(link);
    if (!list || link !== this.#link || asked !== this.#asked) return;
    if (list.reconnect) this.#move();
    if (this.#menu.told(list)) this.#listener.qualities();
  }

  async #sample(): Promise<void> {
    const link = this.#link;
    const report = await link?.peer.getStats().catch(() => undefined);
    if (!report || link !== this.#link) return;
    const sample = { atMs: performance.now(), entries: entriesOf(report) };
    this.#figures = inboundFigures(sample, this.#samples[0]);
    this.#samples = [...this.#samples, sample].slice(-SAMPLES_KEPT);
    this.#step(() => this.#machine.received(this.#figures.received, sample.atMs));
  }

  #connectionFigures(): ConnectionFigures {
    const { roundTripMs, lossRatio, jitterMs, jitterBufferMs, framesPerSecond, freezes } = this.#figures;
    const latencyMs = this.#captureLatencyMs();
    const all = { captureLatencyMs: latencyMs, roundTripMs, lossRatio, jitterMs, jitterBufferMs, framesPerSecond, freezes };
    return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  }

  #captureLatencyMs(): number | undefined {
    const receivers = this.#link?.peer.getReceivers() ?? [];
    const pictureFirst = receivers.toSorted((left, right) => right.track.kind.localeCompare(left.track.kind));
    const sources = pictureFirst.flatMap((receiver): readonly CapturedSource[] => receiver.getSynchronizationSources());
    return captureLatencyMs(sources, performance.timeOrigin);
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
}

/** Whether something came that can be shown, in time and while it is wanted. */
async function showsSomething(peer: RTCPeerConnection, isWanted: () => boolean): Promise<boolean> {
  for (const giveUpAt = performance.now() + TAKE_OVER_MS_MAX; performance.now() < giveUpAt && isWanted(); ) {
    const report = await peer.getStats().catch(() => undefined);
    if (report && inboundFigures({ atMs: performance.now(), entries: entriesOf(report) }, undefined).received > 0) return true;
    await new Promise((resolve) => setTimeout(resolve, TAKE_OVER_EACH_MS));
  }
  return false;
}

/** Asks for playing at once: a jitter buffer that grows only as the network makes it. */
function hurry(receiver: RTCRtpReceiver & LowLatencyReceiver): void {
  if ('jitterBufferTarget' in receiver) receiver.jitterBufferTarget = 0;
  else if ('playoutDelayHint' in receiver) (receiver as LowLatencyReceiver).playoutDelayHint = 0;
}
