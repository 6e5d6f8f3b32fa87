import { playlistPath, type StreamAddress, whepPath } from '../stream-address/stream-address.ts';
import type { Engine, EngineListener, Quality } from './engine.ts';
import type { MissingQuality } from './missing-qualities.ts';
import { type PlayerFigures, readFigures } from './player-figures.ts';
import { PLAYER_DEFAULTS, PlayerMachine, type PlayerOutput, type PlayerState, type Presence } from './player-machine.ts';
import { missingQualities, probeStream } from './probe-stream.ts';
import { type Transport, type TransportChoice, type TransportDecision, TransportPolicy } from './transport-policy.ts';
import { WhepEngine, whepEngineWorks } from './whep-engine.ts';

/** Everything the page shows, as one immutable object that is replaced whenever something in it changes. */
export interface WatchSnapshot {
  readonly player: PlayerState;
  readonly paused: boolean;
  readonly muted: boolean;
  /** 0 to 1. */
  readonly volume: number;
  /** The browser allowed the picture only without sound. */
  readonly soundRefused: boolean;
  readonly qualities: readonly Quality[];
  /** Those that there should be, as far as it is known. */
  readonly missingQualities: readonly MissingQuality[];
  readonly playingQuality: number;
  readonly chosenQuality: number;
  readonly behindLive: boolean;
  readonly transportChoice: TransportChoice;
  readonly transport: TransportDecision;
}

// Further behind than this is not where a live viewer wants to be: after a pause, or a computer's sleep, playing goes on at the live edge.
const BEHIND_MS_MAX = 12_000;
// And this far behind, the button that jumps to live lights up.
const BEHIND_MS_NOTED = 6000;

/** One stream on one page: ties the machine to the video element, the network, the clock and the browser's events. */
export class WatchSession implements PlayerOutput, EngineListener {
  readonly address: StreamAddress;
  readonly #machine: PlayerMachine;
  readonly #policy: TransportPolicy;
  readonly #listeners = new Set<() => void>();
  #snapshot: WatchSnapshot;
  #video: HTMLVideoElement | undefined;
  #engine: Engine | undefined;
  /** What the engine plays by, from the start of loading on. */
  #transport: Transport | undefined;
  /** Counts starts, so that an engine whose code arrives after `stop` is not put in. */
  #generation = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lastSeconds = -1;
  #pausedByViewer = false;

  constructor(address: StreamAddress, choice: TransportChoice) {
    this.address = address;
    this.#policy = new TransportPolicy(choice, whepEngineWorks());
    this.#machine = new PlayerMachine(this, { ...PLAYER_DEFAULTS, random: Math.random });
    this.#snapshot = {
      player: this.#machine.state,
      paused: true,
      muted: false,
      volume: 1,
      soundRefused: false,
      qualities: [],
      missingQualities: [],
      playingQuality: -1,
      chosenQuality: -1,
      behindLive: false,
      transportChoice: choice,
      transport: this.#policy.decide(),
    };
  }

  /** For React's `useSyncExternalStore`. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly snapshot = (): WatchSnapshot => this.#snapshot;

  /** Takes the element to play in and begins; the returned function ends everything. */
  readonly attach = (video: HTMLVideoElement): (() => void) => {
    this.#video = video;
    const listening = new AbortController();
    const on = (event: string, handle: () => void): void => video.addEventListener(event, handle, { signal: listening.signal });
    on('timeupdate', this.#onTime);
    on('playing', this.#onTime);
    on('loadeddata', this.#onTime);
    on('waiting', () => this.#step(() => !video.paused && !video.seeking && this.#machine.stalled(performance.now())));
    // A WebRTC session's tracks end with its connection, which says nothing about the stream.
    on('ended', () => this.#step(() => video.srcObject === null && this.#machine.ended(performance.now())));
    for (const event of ['play', 'pause', 'volumechange']) on(event, this.#readMedia);
    this.#step(() => this.#machine.open());
    return () => {
      listening.abort();
      clearTimeout(this.#timer);
      this.stop();
      this.#video = undefined;
    };
  };

  // What the machine wants done.

  probe(): void {
    const question = {
      asksApi: this.#engine !== undefined || this.#policy.choice !== 'hls',
      transportFor: (account: TransportPolicy['account']): Transport => {
        this.#policy.account = account;
        return this.#decide().transport;
      },
    };
    void probeStream(this.address, question).then((presence) => this.#step(() => this.#onProbed(presence)));
  }

  start(): void {
    this.#policy.loading(this.#decide().transport);
    const { transport, impossible } = this.#decide();
    this.#transport = transport;
    this.#lastSeconds = -1;
    const generation = ++this.#generation;
    if (impossible !== undefined) queueMicrotask(() => generation === this.#generation && this.failed('unavailable', impossible));
    else if (transport === 'hls') void this.#loadHls(generation);
    else if (this.#video) this.#engine = new WhepEngine(this.#video, whepPath(this.address), this);
  }

  stop(): void {
    this.#generation += 1;
    this.#engine?.destroy();
    this.#engine = undefined;
    this.#transport = undefined;
    this.#change({ qualities: [], playingQuality: -1, chosenQuality: -1, behindLive: false });
  }

  recoverMedia(): void {
    this.#engine?.recoverMedia();
    void this.#play();
  }

  resumeLoading(): void {
    this.#engine?.resumeLoading();
  }

  changed(player: PlayerState): void {
    if (player.phase === 'playing') this.#policy.proven();
    if (player.phase === 'waiting' && this.#snapshot.player.phase !== 'waiting') this.#policy.waiting();
    this.#change({ player });
  }

  // What the engine tells.

  failed(kind: Parameters<EngineListener['failed']>[0], detail: string): void {
    this.#step(() => this.#machine.failed(kind, detail, performance.now()));
  }

  qualities(): void {
    const engine = this.#engine;
    if (engine) this.#change({ qualities: engine.qualities, playingQuality: engine.playing, chosenQuality: engine.chosen });
  }

  ready(): void {
    void this.#play();
  }

  progressed(): void {
    // What arrives is on the screen only once the first picture is.
    if (this.#machine.state.phase !== 'starting') this.#step(() => this.#machine.progressed(performance.now()));
  }

  starved(): void {
    this.#step(() => !this.#video?.paused && this.#machine.stalled(performance.now()));
  }

  absent(): void {
    this.#policy.absent();
    this.#step(() => this.#machine.ended(performance.now()));
  }

  unusable(detail: string): void {
    this.#policy.failed(detail);
    if (this.#policy.decide().transport === 'webrtc') this.failed('other', detail);
    else this.#step(() => this.#machine.reload(performance.now()));
  }

  // What the viewer does.

  readonly retry = (): void => this.#step(() => this.#machine.open());

  readonly togglePlay = (): void => {
    if (this.#video?.paused) {
      this.#pausedByViewer = false;
      void this.#play();
    } else {
      this.#pausedByViewer = true;
      this.#video?.pause();
    }
  };

  readonly toggleMute = (): void => {
    const video = this.#video;
    if (!video) return;
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 0.5;
    this.#change({ soundRefused: false });
  };

  readonly setVolume = (volume: number): void => {
    const video = this.#video;
    if (!video) return;
    video.volume = volume;
    video.muted = volume === 0;
    this.#change({ soundRefused: false });
  };

  readonly chooseQuality = (index: number): void => {
    this.#engine?.choose(index);
    this.#change({ chosenQuality: index });
  };

  readonly refreshQualities = (): void => {
    this.#engine?.refreshQualities();
    void missingQualities(this.address).then((missing) => this.#change({ missingQualities: missing }));
  };

  readonly jumpToLive = (): void => {
    const live = this.#engine?.liveSeconds();
    if (live !== undefined && this.#video) this.#video.currentTime = live;
    this.#pausedByViewer = false;
    void this.#play();
  };

  readonly chooseTransport = (choice: TransportChoice): void => {
    this.#policy.choose(choice);
    this.#change({ transportChoice: choice });
    this.#decide();
    // Only a probe tells whether the stream can be played in that way, so the stream is opened anew.
    this.#step(() => this.#machine.open());
  };

  /** Figures of this moment. */
  readonly figures = (): PlayerFigures => readFigures(this.#machine.state, this.#video, this.#engine, this.#snapshot.transport);

  /** Calls the machine, then sees to its next wake-up. */
  #step(act: () => void): void {
    act();
    clearTimeout(this.#timer);
    const { wakeAt } = this.#machine;
    if (wakeAt === undefined) return;
    const wake = (): void => this.#step(() => this.#machine.tick(performance.now()));
    this.#timer = setTimeout(wake, Math.max(0, wakeAt - performance.now()) + 1);
  }

  #onProbed(presence: Presence): void {
    const now = performance.now();
    this.#machine.probed(presence, now);
    const { phase } = this.#machine.state;
    // What is published now cannot be played in the way it was: another publisher came, say. Or what was played is over, and its very last part did not come.
    const isOther = this.#transport !== undefined && this.#transport !== this.#snapshot.transport.transport;
    const isNext = presence === 'live' && this.#engine?.isOver === true;
    if ((isOther || isNext) && phase === 'stalled') this.#machine.reload(now);
  }

  #decide(): TransportDecision {
    const transport = this.#policy.decide();
    this.#change({ transport });
    return transport;
  }

  async #loadHls(generation: number): Promise<void> {
    const engines = await import('./choose-engine.ts').catch(() => undefined);
    const video = this.#video;
    if (generation !== this.#generation || !video) return;
    if (!engines) {
      this.failed('other', 'the player could not be loaded');
      return;
    }
    this.#engine = engines.chooseEngine(video, playlistPath(this.address), this);
    if (!this.#engine) {
      this.failed('unsupported', 'no Media Source Extensions');
      return;
    }
    await this.#play();
  }

  /** Plays with sound, or without where the browser refuses sound before the viewer has touched the page. */
  async #play(): Promise<void> {
    const video = this.#video;
    if (!video || this.#pausedByViewer) return;
    try {
      await video.play();
    } catch (error) {
      if (!(error instanceof DOMException) || error.name !== 'NotAllowedError' || video.muted) return;
      video.muted = true;
      this.#change({ soundRefused: true });
      // Refused even so: the play button is all that is left, and it is on the screen.
      await video.play().catch(() => undefined);
    }
  }

  readonly #onTime = (): void => {
    const video = this.#video;
    const engine = this.#engine;
    if (!video || !engine || video.seeking || video.currentTime === this.#lastSeconds) return;
    const moved = this.#lastSeconds !== -1 || video.currentTime > 0 || engine.tellsProgress;
    this.#lastSeconds = video.currentTime;
    if (!moved || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return;
    if (!engine.tellsProgress || this.#machine.state.phase === 'starting') {
      this.#step(() => this.#machine.progressed(performance.now()));
    }
    const behindMs = engine.figures().edgeLatencyMs ?? 0;
    if (behindMs > BEHIND_MS_MAX && !video.paused) this.jumpToLive();
    const behindLive = behindMs > BEHIND_MS_NOTED || video.paused;
    if (behindLive !== this.#snapshot.behindLive) this.#change({ behindLive });
  };

  readonly #readMedia = (): void => {
    const video = this.#video;
    if (!video) return;
    this.#change({
      paused: video.paused,
      muted: video.muted || video.volume === 0,
      volume: video.volume,
      behindLive: video.paused || this.#snapshot.behindLive,
    });
  };

  #change(change: Partial<WatchSnapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}
