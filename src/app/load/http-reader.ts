const HEAD_LENGTH_MAX = 64 * 1024;

export interface HttpReaderListener {
  head(status: number): void;
  /** Borrowed until the call returns. */
  body(bytes: Buffer): void;
  /** The response is complete; another may follow on the connection. */
  end(): void;
}

/**
 * Reads HTTP/1.1 responses off a connection without copying bodies: bodies of a known length, chunked ones (RFC 9112
 * section 7.1), and those that last until the connection closes.
 */
export class HttpReader {
  private readonly listener: HttpReaderListener;
  private state: 'head' | 'length' | 'until-close' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer' = 'head';
  private text = '';
  private left = 0;

  constructor(listener: HttpReaderListener) {
    this.listener = listener;
  }

  /** Takes borrowed bytes; throws an Error on something that is not HTTP. */
  receive(bytes: Buffer): void {
    let at = 0;
    while (at < bytes.length) at = this.step(bytes, at);
  }

  private step(bytes: Buffer, at: number): number {
    switch (this.state) {
      case 'head':
        return this.readHead(bytes, at);
      case 'until-close':
        this.listener.body(at === 0 ? bytes : bytes.subarray(at));
        return bytes.length;
      case 'length':
      case 'chunk':
        return this.readBody(bytes, at);
      default:
        return this.readLine(bytes, at);
    }
  }

  private readHead(bytes: Buffer, at: number): number {
    const before = this.text.length;
    this.text += bytes.toString('latin1', at, Math.min(bytes.length, at + HEAD_LENGTH_MAX));
    const end = this.text.indexOf('\r\n\r\n', Math.max(0, before - 3));
    if (end < 0) {
      if (this.text.length >= HEAD_LENGTH_MAX) throw new Error('the response header is too large');
      return bytes.length;
    }
    const head = this.text.slice(0, end);
    this.text = '';
    if (!head.startsWith('HTTP/1.')) throw new Error('the answer is not HTTP/1');
    const status = Number(head.slice(9, 12));
    const length = /\r\ncontent-length: *(\d+)/i.exec(head);
    const isChunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    this.left = length === null ? 0 : Number(length[1]);
    this.state = isChunked ? 'chunk-size' : length === null ? 'until-close' : 'length';
    this.listener.head(status);
    if (this.state === 'length' && this.left === 0) this.finish();
    return at + end + 4 - before;
  }

  private readBody(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.left);
    this.left -= end - at;
    this.listener.body(at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    if (this.left === 0) {
      if (this.state === 'length') this.finish();
      else this.state = 'chunk-end';
    }
    return end;
  }

  private readLine(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(10, at);
    const end = lineEnd < 0 ? bytes.length : lineEnd + 1;
    this.text += bytes.toString('latin1', at, end);
    if (this.text.length > HEAD_LENGTH_MAX) throw new Error('a chunk header is too large');
    if (lineEnd < 0) return end;
    const line = this.text.trim();
    this.text = '';
    if (this.state === 'chunk-end') this.state = 'chunk-size';
    else if (this.state === 'trailer') {
      if (line === '') this.finish();
    } else {
      this.left = Number.parseInt(line, 16);
      if (Number.isNaN(this.left)) throw new Error(`${JSON.stringify(line)} is not a chunk size`);
      this.state = this.left === 0 ? 'trailer' : 'chunk';
    }
    return end;
  }

  private finish(): void {
    this.state = 'head';
    this.listener.end();
  }
}
