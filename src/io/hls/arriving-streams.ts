import { SluiceError, type StreamRef, streamRef } from '../../core/mod.ts';
import type { SharedReply, SharedRequest } from '../shared-route.ts';
import type { HlsPlace } from './hls-place.ts';

/** A request for a playlist of a stream that is not here yet. */
export interface ArrivalRequest {
  readonly request: SharedRequest;
  readonly reply: SharedReply;
  readonly place: HlsPlace;
}

export interface ArrivingStreamsOptions {
  /** Whether the stream at `/APP/NAME` can be served; to who asks for the multivariant playlist, and so begins, one that is over cannot. */
  readonly isHere: (base: string, isBeginning: boolean) => boolean;
  readonly bring: ((ref: StreamRef, gone: AbortSignal) => Promise<unknown> | undefined) | undefined;
  /** Requests that wait for one stream; more are not held. */
  readonly requestsMax: number;
  /** The stream came, or did not come in time. */
  readonly come: (waiting: ArrivalRequest, isHere: boolean) => void;
}

interface Arrival {
  requests: ArrivalRequest[];
  readonly gone: AbortController;
}

/** The requests that wait for streams that somebody brings: for each stream one at the door, however many ask. */
export class ArrivingStreams {
  private readonly options: ArrivingStreamsOptions;
  private readonly byBase = new Map<string, Arrival>();

  constructor(options: ArrivingStreamsOptions) {
    this.options = options;
  }

  /** Requests that wait. */
  get size(): number {
    let size = 0;
    for (const { requests } of this.byBase.values()) size += requests.length;
    return size;
  }

  /** Holds a request for a playlist until its stream is here; false: it is here, or nobody brings it, or too many wait. */
  hold(waiting: ArrivalRequest): boolean {
    const { base, rendition } = waiting.place;
    const { bring, isHere, requestsMax } = this.options;
    if (bring === undefined || !waiting.request.path.endsWith('.m3u8')) return false;
    const arrival = this.byBase.get(base);
    if (arrival !== undefined) {
      if (arrival.requests.length >= requestsMax) return false;
      arrival.requests.push({ ...waiting, request: { ...waiting.request } });
      return true;
    }
    const ref = isHere(base, rendition === undefined) ? undefined : streamRefOf(base);
    const gone = new AbortController();
    const brought = ref && bring(ref, gone.signal);
    if (brought === undefined) return false;
    this.byBase.set(base, { requests: [{ ...waiting, request: { ...waiting.request } }], gone });
    void brought.then((stream) => this.settle(base, gone, stream !== undefined));
    return true;
  }

  /** Lets those go whose client has left. */
  sweep(): void {
    for (const [base, arrival] of this.byBase) {
      arrival.requests = arrival.requests.filter(({ reply }) => !reply.isGone);
      if (arrival.requests.length > 0) continue;
      this.byBase.delete(base);
      arrival.gone.abort();
    }
  }

  /** Answers everybody. */
  close(): void {
    for (const [base, { gone }] of [...this.byBase]) {
      this.settle(base, gone, false);
      gone.abort();
    }
  }

  private settle(base: string, gone: AbortController, isHere: boolean): void {
    const arrival = this.byBase.get(base);
    // Another one since, or nobody any more.
    if (arrival?.gone !== gone) return;
    this.byBase.delete(base);
    for (const waiting of arrival.requests) if (!waiting.reply.isGone) this.options.come(waiting, isHere);
  }
}

/** Of `/APP/NAME`; undefined: no stream can have this name. */
export function streamRefOf(base: string): StreamRef | undefined {
  const [, app = '', name = ''] = base.split('/');
  try {
    return streamRef(app, name);
  } catch (error) {
    if (error instanceof SluiceError) return undefined;
    throw error;
  }
}
