import type { WhipSession } from '../../protocols/whip/mod.ts';
import type { TraceSpan } from '../tracing/mod.ts';
import type { KernelCloseReason } from './kernel.ts';
import type { SessionEnd, WebrtcSession } from './webrtc-session.ts';

/** How a session ends whose transport the kernel has closed. */
export const CLOSED: Readonly<Record<KernelCloseReason, SessionEnd>> = {
  handshake: 'webrtc.handshake-failed',
  fingerprint: 'webrtc.handshake-failed',
  'no-srtp-profile': 'webrtc.handshake-failed',
  timeout: 'webrtc.connect-timeout',
  'close-notify': 'webrtc.peer-closed',
};

/** A session as the server keeps it, with its transport. */
export interface SessionEntry extends WebrtcSession {
  etag: string;
  remoteUfrag: string;
  readonly kind: WhipSession['kind'];
  readonly isDtlsClient: boolean;
  readonly connectBy: number;
  isConnected: boolean;
  hasPath: boolean;
  tcpConnection: number | undefined;
  /** Until media flows. */
  join: TraceSpan | undefined;
  noMoreAdmitted: () => void;
}
