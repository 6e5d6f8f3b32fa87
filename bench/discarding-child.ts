// A child process in the place of the one that transcodes: it reads its pipe just so, counts the frames and makes nothing of them.
import { Socket } from 'node:net';
import { ticksToMs } from '../src/core/mod.ts';
import { controlMessage, WireReader } from '../src/io/ffmpeg/mod.ts';
import { type FromChild, type Heartbeat, ofChannel, type ToChild } from '../src/io/transcode/messages.ts';

const PIPE_FD = 3;
const HEARTBEAT_MS = 500;

interface Place {
  readonly timescales: Partial<Record<'video' | 'audio', number>>;
  readonly doneMs: { video?: number; audio?: number };
  framesTaken: number;
}

const places = new Map<number, Place>();
const pipe = new Socket({ fd: PIPE_FD, readable: true, writable: true });
pipe.on('close', () => process.exit(0)).on('error', () => process.exit(0));

const send = (message: FromChild): void => void pipe.write(controlMessage(message));
// Of frames that are thrown away no decoder makes sense: so their number gets into the server's counts.
const heartbeat = ([seat, { doneMs, framesTaken }]: [number, Place]): Heartbeat => ({ seat, cpuS: 0, doneMs, framesCorrupt: framesTaken });

const reader = new WireReader({
  control: (message) => control(message as ToChild),
  frame: ({ channel, dts }) => {
    const { seat, kind } = ofChannel(channel);
    const place = placeOf(seat);
    place.framesTaken++;
    place.doneMs[kind] = ticksToMs(dts, place.timescales[kind] ?? 1000);
  },
});
pipe.on('data', (chunk) => reader.receive(chunk));
setInterval(() => send({ kind: 'heartbeat', seats: [...places].map(heartbeat) }), HEARTBEAT_MS);
send({ kind: 'ready' });

function control(message: ToChild): void {
  if (message.kind === 'track') placeOf(message.seat).timescales[message.track.kind] = message.track.timescale;
  else if (message.kind === 'leave') places.delete(message.seat);
  else if (message.kind === 'stop') process.exit(0);
}

function placeOf(seat: number): Place {
  const known = places.get(seat);
  if (known !== undefined) return known;
  const place: Place = { timescales: {}, doneMs: {}, framesTaken: 0 };
  places.set(seat, place);
  return place;
}
