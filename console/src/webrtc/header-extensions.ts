/** Header extension that carries the time of capture (https://webrtc.github.io/webrtc-org/experiments/rtp-hdrext/abs-capture-time). */
export const ABS_CAPTURE_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time';

// What the server reads or writes, and what turns a phone's picture upright. Whatever else a browser offers would cost bytes in every packet
// and, with simulcast, more ids than one-byte headers have (RFC 8285 §4.2).
const WANTED: ReadonlySet<string> = new Set([
  ABS_CAPTURE_TIME,
  'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time',
  'http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01',
  'http://www.webrtc.org/experiments/rtp-hdrext/playout-delay',
  'urn:3gpp:video-orientation',
  'urn:ietf:params:rtp-hdrext:sdes:mid',
  'urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
  'urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id',
]);

/** https://w3c.github.io/webrtc-extensions, "RTP header extension control". */
interface HeaderExtensionCapability {
  readonly uri: string;
  direction: RTCRtpTransceiverDirection;
}
interface ExtensionControl {
  getHeaderExtensionsToNegotiate?(): HeaderExtensionCapability[];
  setHeaderExtensionsToNegotiate?(extensions: HeaderExtensionCapability[]): void;
}

/** Has the offer name the wanted extensions and no others, where the browser lets a page say so. */
export function negotiateExtensions(transceiver: RTCRtpTransceiver | ExtensionControl): void {
  // The DOM's types do not have it yet, and neither does every browser.
  const control = transceiver as ExtensionControl;
  const extensions = control.getHeaderExtensionsToNegotiate?.();
  if (!extensions || !control.setHeaderExtensionsToNegotiate) return;
  for (const extension of extensions) extension.direction = WANTED.has(extension.uri) ? 'sendrecv' : 'stopped';
  control.setHeaderExtensionsToNegotiate(extensions);
}
