import type { RelayReceiver } from '../../protocols/relay/mod.ts';
import type { Tracing } from '../tracing/mod.ts';
import type { RelayPullOptions } from './relay-pull.ts';

/** The same receiver, with a span from the wish to the first frame. */
export function tracedReceiver(tracing: Tracing, { upstream, ref, rendition }: RelayPullOptions, receiver: RelayReceiver): RelayReceiver {
  const attributes = {
    'sluice.app': ref.app,
    'sluice.stream': ref.path,
    'sluice.rendition': rendition === '' ? 'source' : rendition,
    'sluice.upstream': upstream.node,
  };
  const span = tracing.begin('relay.pull', { kind: 'client', attributes });
  let isOver = false;
  const over = (code?: string): void => {
    if (isOver) return;
    isOver = true;
    span.end(code);
  };
  return {
    get assembler() {
      return receiver.assembler;
    },
    accepted: (acceptance, now) => {
      if (!isOver) span.event('accepted');
      receiver.accepted(acceptance, now);
    },
    refused: (code, message, epoch, nodes) => {
      over(`relay.${code}`);
      receiver.refused(code, message, epoch, nodes);
    },
    frame: (frame, now) => {
      over();
      receiver.frame(frame, now);
    },
    gap: () => receiver.gap(),
    renditions: (renditions, now) => receiver.renditions(renditions, now),
    path: (epoch, hops) => receiver.path(epoch, hops),
    paused: (now) => receiver.paused(now),
    ended: (now) => {
      over('relay.ended');
      receiver.ended(now);
    },
    broken: (now) => {
      if (!isOver) span.event('connection broke');
      receiver.broken(now);
    },
  };
}
