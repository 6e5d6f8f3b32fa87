import { Link } from '@tanstack/react-router';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type JSX, useEffect, useRef, useState } from 'react';
import type { StreamResource } from '../../../src/api/console-contract.ts';
import { formatUptime } from '../figures/figures.ts';
import { describeTracks } from '../streams/select-streams.ts';
import { Thumbnail } from '../streams/thumbnail.tsx';
import { PageTitle, Standing } from './parts.tsx';
import { useStreams } from './queries.ts';
import { useSettled } from './use-settled.ts';

const ROW_HEIGHT = 66;
/** The next page is fetched when so many rows are left below. */
const AHEAD_ROWS = 40;

/** All streams of all nodes. Only the rows that are seen are on the page, so ten thousand are no more than ten. */
export function StreamsListPage(): JSX.Element {
  const [typed, setTyped] = useState('');
  const search = useSettled(typed);
  const { data: streams = [], error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = useStreams(search);
  const more = hasNextPage ? ' or more' : '';
  return (
    <>
      <PageTitle title="Streams">
        <input
          className="search"
          type="search"
          placeholder="Search"
          aria-label="Search the streams"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      </PageTitle>
      <Standing problem={error} isLoading={isPending} />
      <p className="note" role="status">
        {!isPending &&
          `${streams.length.toLocaleString('en')}${more} ${streams.length === 1 ? 'stream' : 'streams'}${search === '' ? '' : ' found'}`}
      </p>
      {streams.length > 0 && <Rows streams={streams} reachedEnd={() => hasNextPage && !isFetchingNextPage && void fetchNextPage()} />}
      {!isPending && streams.length === 0 && search === '' && <p className="note">Nobody publishes now.</p>}
    </>
  );
}

function Rows({ streams, reachedEnd }: { readonly streams: readonly StreamResource[]; readonly reachedEnd: () => void }): JSX.Element {
  const place = useRef<HTMLElement>(null);
  const rows = useVirtualizer({
    count: streams.length,
    getScrollElement: () => place.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 8,
  });
  const shown = rows.getVirtualItems();
  const last = shown.at(-1)?.index ?? 0;
  useEffect(() => {
    if (last >= streams.length - AHEAD_ROWS) reachedEnd();
  });
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse scrolls it with the arrow keys
    <section ref={place} className="stream-rows panel" tabIndex={0} aria-label="Streams">
      <ul style={{ height: rows.getTotalSize(), position: 'relative' }}>
        {shown.map(({ index, start }) => {
          const stream = streams[index];
          return stream === undefined ? null : (
            <li
              key={stream.path}
              aria-setsize={streams.length}
              aria-posinset={index + 1}
              className="stream-row"
              style={{ transform: `translateY(${start}px)`, height: ROW_HEIGHT }}
            >
              <StreamRow stream={stream} />
            </li>
          );
        })}
      </ul>
    </section>
  );
}

function StreamRow({ stream }: { readonly stream: StreamResource }): JSX.Element {
  const { app, name, path, state, publisher, origin, uptimeSeconds, renditions } = stream;
  return (
    <>
      <Thumbnail app={app} name={name} tracks={stream.tracks} />
      <StreamBadge state={state} origin={origin} />
      <div className="stream-name">
        <Link className="stream-link" to="/console/streams/$app/$name" params={{ app, name }}>
          {path}
        </Link>
        <span className="note">{describeTracks(stream)}</span>
      </div>
      <div className="stream-where note">
        <span>{origin.region === '' ? origin.node : `${origin.region} · ${origin.node}`}</span>
        <span>
          {[publisher.protocol.toUpperCase(), `${renditions.length} ${renditions.length === 1 ? 'rendition' : 'renditions'}`].join(' · ')}
        </span>
      </div>
      <span className="note stream-uptime">{formatUptime(uptimeSeconds * 1000)}</span>
    </>
  );
}

/** How a stream stands, in a word. */
export function StreamBadge({ state, origin }: Pick<StreamResource, 'state' | 'origin'>): JSX.Element {
  if (!origin.isAlive) return <span className="badge stale">No origin</span>;
  return <span className={`badge ${state}`}>{state === 'live' ? 'Live' : 'On hold'}</span>;
}
