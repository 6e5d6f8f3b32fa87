import { STATUS_CODES } from 'node:http';
import { SharedFile } from '../shared-file.ts';
import type { SharedResponse } from '../shared-route.ts';

/** An answer as it goes over HTTP/1.1; all of it is shared and never to be written to. */
export interface PreparedAnswer {
  /** With the empty line at its end. */
  readonly head: Buffer;
  /** Head and body in one, for an answer that is asked for more than once: a file where that pays, or else a buffer. */
  readonly file: SharedFile | undefined;
  readonly whole: Buffer | undefined;
}

/** Smaller ones cost less to copy than to keep in a file. */
const FILE_BYTES_MIN = 16 * 1024;
/** What is larger leaves in its chunks: joining it would cost more than it saves. */
const JOINED_BYTES_MAX = 256 * 1024;

/**
 * Prepares shared answers once a second for everybody, as only their `Date` changes. What is asked for a second time within the second is
 * joined, which takes less time to write. It keeps nothing for longer than until the next second's first answer.
 */
export class SharedAnswers {
  private readonly answers = new Map<SharedResponse, PreparedAnswer>();
  private readonly connectionLines: string;
  private second = -1;
  private dateLine = '';

  constructor(keepAliveTimeoutMs: number) {
    this.connectionLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${Math.floor(keepAliveTimeoutMs / 1000)}\r\n\r\n`;
  }

  /** `wallMs`: the time now since the Unix epoch. */
  prepare(shared: SharedResponse, wallMs: number): PreparedAnswer {
    const second = Math.floor(wallMs / 1000);
    if (second !== this.second) this.begin(second);
    const known = this.answers.get(shared);
    if (known !== undefined && (known.whole ?? known.file) !== undefined) return known;
    if (known !== undefined && shared.sizeBytes > JOINED_BYTES_MAX) return known;
    const answer = known === undefined ? { head: this.head(shared), file: undefined, whole: undefined } : join(known.head, shared);
    this.answers.set(shared, answer);
    return answer;
  }

  /** Forgets everything; what is asked for later is prepared anew. */
  clear(): void {
    for (const { file } of this.answers.values()) file?.close();
    this.answers.clear();
  }

  private begin(second: number): void {
    this.second = second;
    this.dateLine = `Date: ${new Date(second * 1000).toUTCString()}\r\n`;
    this.clear();
  }

  private head({ status, headers }: SharedResponse): Buffer {
    let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
    for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
    return Buffer.from(text + this.dateLine + this.connectionLines, 'latin1');
  }
}

function join(head: Buffer, shared: SharedResponse): PreparedAnswer {
  const pieces = [head, ...shared.chunks];
  const file = shared.sizeBytes < FILE_BYTES_MIN ? undefined : SharedFile.make(pieces);
  return { head, file, whole: file === undefined ? Buffer.concat(pieces) : undefined };
}
