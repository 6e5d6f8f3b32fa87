import { type JSX, useState, useSyncExternalStore } from 'react';
import { EventList } from './event-list.tsx';
import { eventLog } from './event-log.ts';
import { PageTitle } from './parts.tsx';

const KINDS = [
  ['', 'All'],
  ['stream.', 'Streams'],
  ['node.', 'Nodes'],
  ['source.', 'Sources'],
  ['target.', 'Targets'],
  ['transcoding.', 'Transcoding'],
  ['recording.', 'Recordings'],
  ['config.', 'Configuration'],
  ['audit.', 'Audit'],
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
          <EventList events={shown} />
        </section>
      )}
    </>
  );
}
