import { type JSX, type ReactNode, useState } from 'react';
import { PageHeader } from '../design/page-header.tsx';
import { publishInstructions } from '../stream-address/publish-instructions.ts';
import { PublishHelp } from './publish-help.tsx';
import { selectStreams } from './select-streams.ts';
import { StreamCard } from './stream-card.tsx';
import { useStreams } from './use-streams.ts';

/** All live streams of the server; `children` stand in its head. */
export function StreamsPage({ children }: { readonly children?: ReactNode }): JSX.Element {
  const { streams, more, serverSilent, loadMore } = useStreams();
  const [query, setQuery] = useState('');
  const found = selectStreams(streams ?? [], query);
  const publish = publishInstructions(location.hostname);
  return (
    <div className="page">
      <PageHeader>{children}</PageHeader>
      <main>
        <div className="list-head">
          <h1>Live streams</h1>
          {streams && streams.length > 0 && (
            <input
              className="search"
              type="search"
              placeholder="Search"
              aria-label="Search the live streams"
              value={query}
              onChange={(event) => setQuery(event.target.value)}
            />
          )}
        </div>
        <p className={serverSilent ? 'silent' : 'visually-hidden'} role="status">
          {serverSilent ? 'The server does not answer; trying again.' : streams && countInWords(found.length, query)}
        </p>
        {!streams && !serverSilent && <p className="note">Loading …</p>}
        {streams?.length === 0 && <PublishHelp instructions={publish} empty />}
        {found.length > 0 && (
          <ul className="cards">
            {found.map((stream) => (
              <StreamCard key={`${stream.app}/${stream.name}`} stream={stream} />
            ))}
          </ul>
        )}
        {streams && streams.length > 0 && found.length === 0 && (
          <p className="note">
            {more ? `None of the ${streams.length} streams loaded so far has this name.` : 'No live stream has this name.'}
          </p>
        )}
        {more && (
          <button type="button" className="button more" onClick={loadMore}>
            Load more
          </button>
        )}
        {streams && streams.length > 0 && (
          <details className="publish-too">
            <summary>Publish your own</summary>
            <PublishHelp instructions={publish} empty={false} />
          </details>
        )}
      </main>
    </div>
  );
}

function countInWords(count: number, query: string): string {
  const streams = count === 1 ? '1 live stream' : `${count} live streams`;
  return query === '' ? streams : `${streams} found`;
}
