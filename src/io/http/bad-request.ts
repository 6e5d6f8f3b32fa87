import type { Duplex } from 'node:stream';

interface Answer {
  readonly code: string;
  readonly status: string;
  readonly title: string;
}

const ANSWERS: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: {
    code: 'http.headers-too-large',
    status: '431 Request Header Fields Too Large',
    title: 'The headers are too large',
  },
  ERR_HTTP_REQUEST_TIMEOUT: { code: 'http.request-timeout', status: '408 Request Timeout', title: 'The request took too long to arrive' },
};
const BAD_REQUEST: Answer = { code: 'http.bad-request', status: '400 Bad Request', title: 'This is not HTTP' };

/** Answers bytes that are no request and closes the connection; returns the code, or undefined when the peer just went away. */
export function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): string | undefined {
  if (error.code === 'ECONNRESET' || error.code === 'EPIPE' || !socket.writable) {
    socket.destroy();
    return undefined;
  }
  const { code, status, title } = (error.code === undefined ? undefined : ANSWERS[error.code]) ?? BAD_REQUEST;
  const body = JSON.stringify({ type: `urn:sluice:problem:${code}`, title, status: Number.parseInt(status, 10), detail: title, code });
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
  return code;
}
