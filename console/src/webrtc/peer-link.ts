import { negotiateExtensions } from './header-extensions.ts';
import type { LayerList } from './layer-list.ts';
import { type GatheredCandidate, sdpFragment } from './sdp-fragment.ts';
import { withCaptureTime } from './sdp-lines.ts';
import { type ResourceOptions, ResourceRefused, WebrtcResource } from './webrtc-resource.ts';

/** What a link tells its owner; never after `close`. */
export interface PeerLinkListener {
  connected(): void;
  /** No answer from the other side for a few seconds; it may come back as `connected`. */
  interrupted(): void;
  /** The connection is gone, or never came about. */
  broken(detail: string): void;
  /** The HTTP exchange failed. */
  refused(refusal: ResourceRefused): void;
}

/** Options of a link; `prepare` puts tracks into the peer connection, the others change the descriptions before they are used. */
export interface PeerLinkOptions extends ResourceOptions {
  readonly prepare: (peer: RTCPeerConnection) => void;
  readonly adaptOffer?: (offer: string) => string;
  readonly adaptAnswer?: (answer: string) => string;
}

const same = (sdp: string): string => sdp;

/** One peer connection and its session on the server, from the offer to DELETE. Made for one use. */
export class PeerLink {
  readonly peer: RTCPeerConnection = new RTCPeerConnection({ bundlePolicy: 'max-bundle' });
  readonly #listener: PeerLinkListener;
  readonly #options: PeerLinkOptions;
  readonly #candidates: GatheredCandidate[] = [];
  readonly #leaving = new AbortController();
  #resource: WebrtcResource | undefined;
  #offer = '';
  #isClosed = false;

  constructor(listener: PeerLinkListener, options: PeerLinkOptions) {
    this.#listener = listener;
    this.#options = options;
    this.peer.addEventListener('connectionstatechange', this.#onState);
    this.peer.addEventListener('icecandidate', ({ candidate }) => {
      if (candidate?.candidate) this.#candidates.push({ candidate: candidate.candidate, sdpMid: candidate.sdpMid });
    });
    this.peer.addEventListener('icegatheringstatechange', () => this.#tellCandidates());
    // A page that is left has no time for an orderly end; the request is made so that it outlives it.
    window.addEventListener('pagehide', () => this.close(), { signal: this.#leaving.signal });
  }

  /** Makes the offer and exchanges it; whatever comes of it is told to the listener. */
  async open(): Promise<void> {
    try {
      this.#options.prepare(this.peer);
      for (const transceiver of this.peer.getTransceivers()) negotiateExtensions(transceiver);
      await this.#exchange();
    } catch (error) {
      if (this.#isClosed) return;
      if (error instanceof ResourceRefused) this.#listener.refused(error);
      else this.#listener.broken(error instanceof Error ? error.message : String(error));
    }
  }

  /** What a viewer can choose from; undefined while that is not known. */
  async layers(): Promise<LayerList | undefined> {
    return this.#resource?.layers();
  }

  /** Asks for a layer; without one the server is to choose. Undefined where it cannot be. */
  async selectLayer(encodingId: string | undefined): Promise<LayerList | undefined> {
    return this.#resource?.selectLayer(encodingId);
  }

  /** Ends the connection and the session on the server. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#leaving.abort();
    this.peer.close();
    void this.#resource?.remove();
  }

  async #exchange(): Promise<void> {
    const { sdp = '' } = await this.peer.createOffer();
    this.#offer = (this.#options.adaptOffer ?? same)(withCaptureTime(sdp));
    if (this.#isClosed) return;
    await this.peer.setLocalDescription({ type: 'offer', sdp: this.#offer });
    // The offer goes out before any candidate is gathered: a server on a public address learns the viewer's from its checks.
    const resource = await WebrtcResource.open(this.#offer, this.#options);
    if (this.#isClosed) {
      void resource.remove();
      return;
    }
    this.#resource = resource;
    if (resource.iceServers.length > 0) this.peer.setConfiguration({ bundlePolicy: 'max-bundle', iceServers: [...resource.iceServers] });
    await this.peer.setRemoteDescription({ type: 'answer', sdp: (this.#options.adaptAnswer ?? same)(resource.answer) });
    this.#watchTransport();
    this.#tellCandidates();
  }

  #tellCandidates(): void {
    const resource = this.#resource;
    // An ICE-lite agent does no checks of its own and has no use for candidates (RFC 8445 §2.5).
    if (!resource || this.#isClosed || this.peer.iceGatheringState !== 'complete' || /^a=ice-lite/m.test(resource.answer)) return;
    const fragment = sdpFragment(this.#offer, this.#candidates.splice(0), true);
    if (fragment !== undefined) void resource.addCandidates(fragment);
  }

  /** A server that says goodbye in DTLS leaves the connection's own state as it was, so the transport is looked at, too. */
  #watchTransport(): void {
    const transports = [...this.peer.getReceivers(), ...this.peer.getSenders()].map(({ transport }) => transport);
    for (const transport of new Set(transports)) {
      transport?.addEventListener('statechange', () => {
        if (transport.state === 'closed' && !this.#isClosed) this.#listener.broken('the server ended the connection');
      });
    }
  }

  readonly #onState = (): void => {
    if (this.#isClosed) return;
    switch (this.peer.connectionState) {
      case 'connected':
        this.#listener.connected();
        break;
      case 'disconnected':
        this.#listener.interrupted();
        break;
      case 'failed':
      case 'closed':
        this.#listener.broken('no connection to the server (is UDP blocked?)');
        break;
      case 'new':
      case 'connecting':
        break;
    }
  };
}
