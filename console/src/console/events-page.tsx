import { Link } from '@tanstack/react-router';
import { type JSX, useState, useSyncExternalStore } from 'react';
import { eventLog, type HeardEvent } from './event-log.ts';
import './forms.css';
import { PageTitle } from './parts.tsx';
import { formatTime } from './spans.ts';
import { StreamLink } from './stream-link.tsx';

const KINDS = [
  ['', 'All'],
  ['stream.', 'Streams'],
  ['node.', 'Nodes'],
  ['source.', 'Sources'],
  ['target.', 'Targets'],
  ['transcoding.', 'Transcoding'],
] as const;
const SHOWN_MAX = 200;

/** What happens, as it happens, since the page was opened. */
export function EventsPage(): JSX.Element {
  const events = useSyncExternalStore(eventLog.listen, eventLog.events);
  const [kind, setKind] = useState('');
  const shown = events.filter(({ type }) => type.startsWith(kind)).slice(0, SHOWN_MAX);
  return (
    <>
      <PageTitle title="Events">
        <select aria-label="Which events" value={kind} onChange={({ target }) => setKind(target.value)}>
          {KINDS.map(([prefix, words]) => (
            <option key={prefix} value={prefix}>
              {words}
            </option>
          ))}
        </select>
      </PageTitle>
      <p className="note" role="status">
        {shown.length === 0
          ? 'Nothing has happened since this page was opened.'
          : `${shown.length} since this page was opened, the newest first`}
      </p>
      {shown.length > 0 && (
        <section className="panel" aria-label="Events">
          <ul className="entries events">
            {shown.map((event) => (
              <Row key={event.number} event={event} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Row({ event: { type, data, atMs } }: { readonly event: HeardEvent }): JSX.Element {
  const { path, node, ...rest } = dataOf(data);
  return (
    <li className="entry-head">
      <time dateTime={new Date(atMs).toISOString()}>{formatTime(atMs)}</time>
      <b>{type}</b>
      {typeof path === 'string' && <StreamLink path={path} />}
      {typeof node === 'string' && (
        <Link to="/console/nodes" search={{ find: node }}>
          {node}
        </Link>
      )}
      <span className="note id">
        {Object.entries(rest)
          .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
          .join(' · ')}
      </span>
    </li>
  );
}

function dataOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const data: unknown = JSON.parse(text);
    return typeof data === 'object' && data !== null ? (data as Record<string, unknown>) : { data };
  } catch {
    return { data: text };
  }
}
