import type { MonotonicMs } from '../../core/mod.ts';
import { readAggregate } from './aggregate.ts';
import { ChunkReader, type ChunkReaderLimits, type ChunkReaderOutput } from './chunk-reader.ts';
import { ChunkWriter } from './chunk-writer.ts';
import { controlMessage, setPeerBandwidth, userControl } from './control-messages.ts';
import type { Handshake } from './handshake.ts';
import { MessageType, UserControlEvent } from './message.ts';

/** What a link tells the session above it. */
export interface MessageLinkOutput {
  /** Bytes for the peer, given. */
  send(bytes: Uint8Array): void;
  /** The handshake is complete; chunks flow from now on. */
  opened(): void;
  /** A message that is not the link's own business: commands, data, audio, video. `body` is given. */
  message(typeId: number, timestamp: number, messageStreamId: number, body: Uint8Array): void;
  /** A User Control Message other than pings. */
  userControl(event: number, value: number): void;
}

/** A peer that names no window is acknowledged at this many bytes, as Flash Media Server did. */
const WINDOW_BYTES_DEFAULT = 2_500_000;
// Below this a peer would make us answer nearly every read.
const WINDOW_BYTES_MIN = 1024;

/** What server and client have in common: the handshake, the chunk stream, acknowledgements and pings. */
export class MessageLink implements ChunkReaderOutput {
  private readonly out: MessageLinkOutput;
  private readonly reader: ChunkReader;
  private readonly writer = new ChunkWriter();
  private handshake: Handshake | undefined;
  private received = 0;
  private acknowledged = 0;
  private windowBytes = WINDOW_BYTES_DEFAULT;
  private ownWindowBytes = 0;
  private peerAcknowledged = 0;

  constructor(out: MessageLinkOutput, handshake: Handshake, limits: ChunkReaderLimits) {
    this.out = out;
    this.handshake = handshake;
    this.reader = new ChunkReader(this, limits);
  }

  get isOpen(): boolean {
    return this.handshake === undefined;
  }

  /** Bytes received since the connection began. */
  get bytesReceived(): number {
    return this.received;
  }

  /** The peer's last Acknowledgement, modulo 2^32. */
  get bytesAcknowledged(): number {
    return this.peerAcknowledged;
  }

  /** Takes borrowed bytes, split anywhere. Throws `ProtocolError`. */
  receive(bytes: Uint8Array): void {
    this.received += bytes.length;
    let rest = bytes;
    if (this.handshake !== undefined) {
      rest = bytes.subarray(this.handshake.receive(bytes));
      if (!this.handshake.isDone) return;
      this.handshake = undefined;
      this.out.opened();
    }
    this.reader.receive(rest);
    if (this.received - this.acknowledged >= this.windowBytes) {
      this.acknowledged = this.received;
      this.out.send(controlMessage(this.writer, MessageType.acknowledgement, this.received));
    }
  }

  /** Sends a message; `body` is borrowed. */
  send(chunkStreamId: number, typeId: number, timestamp: number, messageStreamId: number, body: Uint8Array): void {
    this.out.send(this.writer.message(chunkStreamId, typeId, timestamp, messageStreamId, body));
  }

  /** Announces the chunk size of everything sent from now on. */
  setChunkSize(chunkSize: number): void {
    this.out.send(controlMessage(this.writer, MessageType.setChunkSize, chunkSize));
    this.writer.setChunkSize(chunkSize);
  }

  /** Asks the peer to acknowledge every `windowBytes`, and to ask the same of us. */
  setWindow(windowBytes: number): void {
    this.announceWindow(windowBytes);
    this.out.send(setPeerBandwidth(this.writer, windowBytes));
  }

  sendUserControl(event: number, value: number): void {
    this.out.send(userControl(this.writer, event, value));
  }

  ping(now: MonotonicMs): void {
    this.sendUserControl(UserControlEvent.pingRequest, Math.floor(now));
  }

  message(typeId: number, timestamp: number, messageStreamId: number, body: Uint8Array): void {
    switch (typeId) {
      case MessageType.acknowledgement:
        this.peerAcknowledged = readU32(body, 0);
        break;
      case MessageType.userControl:
        this.receiveUserControl(body);
        break;
      case MessageType.windowAcknowledgementSize:
        this.windowBytes = Math.max(WINDOW_BYTES_MIN, readU32(body, 0));
        break;
      case MessageType.setPeerBandwidth: {
        // 5.4.5: answer with Window Acknowledgement Size if the value is another than the last one sent.
        const windowBytes = Math.max(WINDOW_BYTES_MIN, readU32(body, 0));
        if (windowBytes !== this.ownWindowBytes) this.announceWindow(windowBytes);
        break;
      }
      case MessageType.aggregate:
        readAggregate(timestamp, body, (subTypeId, subTimestamp, subBody) => {
          // An aggregate within an aggregate is not defined, and would let a peer nest calls.
          if (subTypeId !== MessageType.aggregate) this.out.message(subTypeId, subTimestamp, messageStreamId, subBody);
        });
        break;
      default:
        this.out.message(typeId, timestamp, messageStreamId, body);
    }
  }

  private announceWindow(windowBytes: number): void {
    this.ownWindowBytes = windowBytes;
    this.out.send(controlMessage(this.writer, MessageType.windowAcknowledgementSize, windowBytes));
  }

  private receiveUserControl(body: Uint8Array): void {
    if (body.length < 2) return;
    const event = ((body[0] as number) << 8) | (body[1] as number);
    const value = readU32(body, 2);
    if (event === UserControlEvent.pingRequest) this.sendUserControl(UserControlEvent.pingResponse, value);
    else if (event !== UserControlEvent.pingResponse) this.out.userControl(event, value);
  }
}

/** A short body reads as if zeros followed: some encoders cut control messages. */
function readU32(bytes: Uint8Array, at: number): number {
  return (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}
