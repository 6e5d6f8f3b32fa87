/** What stands in the way of publishing; `code` for programs, the words for people. */
export interface PublishProblem {
  readonly code: ProblemCode;
  readonly title: string;
  readonly hint: string;
}

/** Stable names of the problems. */
export type ProblemCode =
  | 'key'
  | 'taken'
  | 'busy'
  | 'not-offered'
  | 'codec'
  | 'server'
  | 'connection'
  | 'insecure'
  | 'denied'
  | 'no-device'
  | 'device-busy'
  | 'source-ended'
  | 'source';

/** Problems that may be gone at the next attempt. */
export const WORTH_WAITING: ReadonlySet<ProblemCode> = new Set(['busy', 'server', 'connection']);

const problem = (code: ProblemCode, title: string, hint: string): PublishProblem => ({ code, title, hint });

/** An answer of the WHIP endpoint in words; `status` 0 stands for none at all, or a connection that did not come about. */
export function problemOf(status: number, detail: string): PublishProblem {
  switch (status) {
    case 0:
      return problem('connection', 'There is no connection to the server', `${sentence(detail)} It is tried again by itself.`);
    case 401:
    case 403:
      return problem('key', 'The stream key is wrong', `The server does not let this key publish the stream: ${detail}`);
    case 404:
    case 405:
    case 501:
      return problem('not-offered', 'This server takes no WebRTC', `${sentence(detail)} RTMP, from OBS for example, may do.`);
    case 406:
    case 415:
    case 422:
      return problem('codec', 'The server cannot use what this browser sends', `${sentence(detail)} Another codec may do.`);
    case 409:
      return problem('taken', 'Somebody publishes this stream already', 'Stop the other publisher, or take another name for the stream.');
    case 429:
    case 503:
      return problem('busy', 'The server is full', `${sentence(detail)} It is tried again by itself.`);
    default:
      return status >= 500
        ? problem('server', 'The server has a fault', `${sentence(detail)} It is tried again by itself.`)
        : problem('codec', 'The server refused to take the stream', sentence(detail));
  }
}

/** What a browser says when a camera, microphone or screen cannot be had, by the name of its error (Media Capture and Streams §10.2). */
export function sourceProblem(name: string, message: string): PublishProblem {
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return problem(
        'denied',
        'The browser was not allowed to do that',
        'Allow this page to use it, by the sign beside the address, and try again. On a Mac the browser needs the system’s permission, too.',
      );
    case 'NotFoundError':
    case 'OverconstrainedError':
      return problem(
        'no-device',
        'There is no such device',
        'Plug a camera or a microphone in, choose another one, or take the test picture.',
      );
    case 'NotReadableError':
    case 'AbortError':
      return problem('device-busy', 'The device does not start', 'Another program may be using it: close that, and try again.');
    default:
      return problem('source', 'The source does not start', sentence(message || name));
  }
}

/** Cameras and screens are shown by browsers to trustworthy pages only (Secure Contexts). */
export const INSECURE: PublishProblem = problem(
  'insecure',
  'Camera and screen need https',
  'A browser shows them only to pages that came by https, or from this computer itself (localhost). The test picture works here all the same.',
);

/** The screen's own “stop sharing”, or a camera that was unplugged. */
export const SOURCE_ENDED: PublishProblem = problem(
  'source-ended',
  'The source ended',
  'Sharing was stopped, or the device was unplugged.',
);

const sentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);
