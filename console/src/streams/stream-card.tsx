import type { JSX } from 'react';
import { formatBitrate, formatUptime, formatViewers } from '../figures/figures.ts';
import { watchPath } from '../stream-address/stream-address.ts';
import { describeTracks } from './select-streams.ts';
import type { ListedStream } from './streams-answer.ts';
import { Thumbnail } from './thumbnail.tsx';

/** One stream of the list; the whole card leads to its watch page. */
export function StreamCard({ stream }: { readonly stream: ListedStream }): JSX.Element {
  const { app, name, state, startedMs, viewers, bitrateBps } = stream;
  const figures = [
    formatViewers(viewers),
    formatBitrate(bitrateBps),
    ...(startedMs === undefined ? [] : [formatUptime(Date.now() - startedMs)]),
  ];
  return (
    <li className="card">
      <Thumbnail app={app} name={name} tracks={stream.tracks} />
      <div className="card-top">
        <span className={`badge ${state}`}>{state === 'live' ? 'Live' : 'On hold'}</span>
        <span className="card-app">{app}</span>
      </div>
      <h2>
        <a href={watchPath(app, name)}>{name}</a>
      </h2>
      <p className="card-tracks">{describeTracks(stream)}</p>
      <p className="card-figures">{figures.join(' · ')}</p>
    </li>
  );
}
