import type { JSX } from 'react';
import { dataOf, type HeardEvent } from './event-log.ts';
import './forms.css';
import { NodeLink } from './node-link.tsx';
import { formatTime } from './spans.ts';
import { StreamLink } from './stream-link.tsx';

/** Events, a line each. */
export function EventList({ events }: { readonly events: readonly HeardEvent[] }): JSX.Element {
  return (
    <ul className="entries events">
      {events.map((event) => (
        <EventLine key={event.number} event={event} />
      ))}
    </ul>
  );
}

function EventLine({ event }: { readonly event: HeardEvent }): JSX.Element {
  const { path, node, ...rest } = dataOf(event);
  return (
    <li className="entry-head">
      <time dateTime={new Date(event.atMs).toISOString()}>{formatTime(event.atMs)}</time>
      <b>{event.type}</b>
      {typeof path === 'string' && <StreamLink path={path} />}
      {typeof node === 'string' && <NodeLink id={node} />}
      <span className="note id">
        {Object.entries(rest)
          .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
          .join(' · ')}
      </span>
    </li>
  );
}
