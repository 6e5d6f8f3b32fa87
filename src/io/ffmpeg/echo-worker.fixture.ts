// A child for tests of FramedChild: sends back what it gets, and does what else it is told.
import { Socket } from 'node:net';
import { controlMessage, WireReader, writeFrame } from './wire.ts';

export interface EchoMessage {
  readonly kind: 'hello' | 'say-garbage' | 'stop';
}

const pipe = new Socket({ fd: 3, readable: true, writable: true });
pipe.on('close', () => process.exit(0)).on('error', () => undefined);

const reader = new WireReader({
  control: (message) => {
    const command = message as EchoMessage;
    if (command.kind === 'stop') process.exit(0);
    if (command.kind === 'say-garbage') pipe.write(Uint8Array.of(0xff, 0xff, 0xff, 0xff));
    pipe.write(controlMessage(command));
  },
  frame: (frame) => writeFrame(pipe, frame),
});
pipe.on('data', (chunk) => reader.receive(chunk));
