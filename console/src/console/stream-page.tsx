import { useParams } from '@tanstack/react-router';
import { type JSX, useState } from 'react';
import type { StreamResource } from '../../../src/api/console-contract.ts';
import { formatBitrate, formatUptime, UNKNOWN } from '../figures/figures.ts';
import { publishPath, watchPath } from '../stream-address/stream-address.ts';
import { describeTracks } from '../streams/select-streams.ts';
import { Thumbnail } from '../streams/thumbnail.tsx';
import { ConfirmDialog } from './dialogs.tsx';
import { Figure, PageTitle, Standing } from './parts.tsx';
import { useEndStream, useStream } from './queries.ts';
import { useMayChange } from './session-context.ts';
import { StreamHealth } from './stream-health.tsx';
import { StreamPlaces, StreamViewers } from './stream-places.tsx';
import { StreamPublishing } from './stream-publishing.tsx';
import { StreamRenditions } from './stream-renditions.tsx';
import { StreamBadge } from './streams-list-page.tsx';

/** One stream: what comes in, what is made of it, who watches it where, and how to reach it. */
export function StreamPage(): JSX.Element {
  const { app, name } = useParams({ from: '/console/streams/$app/$name' });
  const { data, error, isPending, dataUpdatedAt } = useStream(app, name);
  const isOver = error?.status === 404;
  return (
    <>
      <PageTitle title={`${app}/${name}`}>
        {data && !isOver && <StreamBadge {...data} />}
        {data && !isOver && <EndStream stream={data} />}
      </PageTitle>
      {isOver ? (
        <p className="notice">Nobody publishes this stream now. It appears here by itself.</p>
      ) : (
        <Standing problem={error} isLoading={isPending} />
      )}
      {data && !isOver && <Detail stream={data} atMs={dataUpdatedAt} />}
      <StreamPublishing app={app} name={name} />
    </>
  );
}

function Detail({ stream, atMs }: { readonly stream: StreamResource; readonly atMs: number }): JSX.Element {
  const { app, name, tracks, publisher, uptimeSeconds, origin, viewers, frameRate, keyframeIntervalMs = 0, timestampJumps = 0 } = stream;
  return (
    <>
      <div className="stream-picture">
        <Thumbnail app={app} name={name} tracks={tracks} />
      </div>
      <p className="link-row">
        <a className="button primary" href={watchPath(app, name)}>
          Watch
        </a>
        <a className="button" href={publishPath(app, name)}>
          Publish page
        </a>
      </p>
      <dl className="figures">
        <Figure label="Tracks" value={<span className="small">{describeTracks({ tracks }) || UNKNOWN}</span>} />
        <Figure label="Publisher" value={publisher.protocol.toUpperCase()} note={publisher.agent ?? ''} />
        <Figure label="Bitrate" value={formatBitrate(stream.bitrateBps)} />
        <Figure
          label="Frame rate"
          value={frameRate === undefined ? UNKNOWN : `${frameRate.toFixed(1)} /s`}
          note={frameRate === undefined ? '' : `a keyframe each ${(keyframeIntervalMs / 1000).toFixed(1)} s`}
        />
        <Figure label="Viewers" value={viewers?.total.toLocaleString('en') ?? UNKNOWN} note={protocolsOf(stream)} />
        <Figure
          label="On air for"
          value={formatUptime(uptimeSeconds * 1000)}
          note={origin.epoch === 0 ? '' : `epoch ${origin.epoch}: grows when it gets another origin`}
        />
      </dl>
      {timestampJumps > 0 && <p className="notice">The publisher’s timestamps jumped {timestampJumps.toLocaleString('en')} times.</p>}
      <StreamHealth key={stream.path} stream={stream} atMs={atMs} />
      <StreamRenditions stream={stream} />
      <StreamViewers places={stream.places ?? []} />
      <StreamPlaces stream={stream} />
    </>
  );
}

const protocolsOf = ({ viewers }: StreamResource): string =>
  Object.entries(viewers?.byProtocol ?? {})
    .flatMap(([protocol, count]) => (count === 0 ? [] : [`${protocol} ${count.toLocaleString('en')}`]))
    .join(' · ');

function EndStream({ stream: { app, name, path, viewers } }: { readonly stream: StreamResource }): JSX.Element | null {
  const [isAsking, setAsking] = useState(false);
  const end = useEndStream();
  if (!useMayChange()) return null;
  const count = viewers?.total ?? 0;
  return (
    <>
      <button type="button" className="button danger-text" onClick={() => setAsking(true)}>
        End stream …
      </button>
      {isAsking && (
        <ConfirmDialog title={`End ${path}?`} action="End the stream" change={end} wish={{ app, name }} onClose={() => setAsking(false)}>
          <p>
            The publisher is sent away, and the stream ends for {count === 1 ? '1 viewer' : `${count.toLocaleString('en')} viewers`}. The
            publisher may come back: to keep it out, change the key.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}
