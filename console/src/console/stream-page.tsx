import { Link, useParams } from '@tanstack/react-router';
import { Tabs } from 'radix-ui';
import { type JSX, useState } from 'react';
import type { ClusterStreamDetail, NodeResource, StreamResource } from '../../../src/api/console-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { formatBitrate, formatUptime, UNKNOWN } from '../figures/figures.ts';
import { publishPath, streamLinks, watchPath } from '../stream-address/stream-address.ts';
import { describeTracks } from '../streams/select-streams.ts';
import { ConfirmDialog, Figure, PageTitle, Scrolled, Standing } from './parts.tsx';
import { publishWays, rtmpAddress } from './publish-snippets.ts';
import { useEndStream, useNodes, useStream } from './queries.ts';
import { useIsInCluster, useMayChange } from './session-context.ts';
import { StreamBadge } from './streams-list-page.tsx';

/** One stream: what comes in, what is made of it, who watches it where, and how to reach it. */
export function StreamPage(): JSX.Element {
  const { app, name } = useParams({ from: '/console/streams/$app/$name' });
  const { data, error, isPending } = useStream(app, name);
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
      {data && !isOver && <Detail stream={data} />}
      <Publishing app={app} name={name} />
    </>
  );
}

function Detail({ stream }: { readonly stream: ClusterStreamDetail }): JSX.Element {
  const { app, name, atOrigin, tracks, protocol, uptimeSeconds, epoch } = stream;
  const viewers = stream.places.reduce((sum, place) => sum + place.viewers.total, 0);
  return (
    <>
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
        <Figure label="Publisher" value={protocol.toUpperCase()} note={atOrigin?.publisher.agent ?? ''} />
        <Figure label="Bitrate" value={formatBitrate(atOrigin?.bitrateBps)} />
        <Figure
          label="Frame rate"
          value={atOrigin === undefined ? UNKNOWN : `${atOrigin.frameRate.toFixed(1)} /s`}
          note={atOrigin === undefined ? '' : `a keyframe each ${(atOrigin.keyframeIntervalMs / 1000).toFixed(1)} s`}
        />
        <Figure label="Viewers" value={viewers.toLocaleString('en')} note={protocolsOf(stream)} />
        <Figure label="On air for" value={formatUptime(uptimeSeconds * 1000)} note={epoch === 0 ? '' : `epoch ${epoch}`} />
      </dl>
      {atOrigin !== undefined && atOrigin.timestampJumps > 0 && (
        <p className="notice">The publisher’s timestamps jumped {atOrigin.timestampJumps.toLocaleString('en')} times.</p>
      )}
      <Renditions stream={stream} atOrigin={atOrigin} />
      <Places stream={stream} />
    </>
  );
}

function protocolsOf({ places }: ClusterStreamDetail): string {
  const sums = new Map<string, number>();
  for (const { viewers } of places) {
    for (const [protocol, count] of Object.entries(viewers.byProtocol)) sums.set(protocol, (sums.get(protocol) ?? 0) + count);
  }
  return [...sums].flatMap(([protocol, count]) => (count === 0 ? [] : [`${protocol} ${count.toLocaleString('en')}`])).join(' · ');
}

function Renditions({
  stream,
  atOrigin,
}: {
  readonly stream: ClusterStreamDetail;
  readonly atOrigin: StreamResource | undefined;
}): JSX.Element {
  const rungs = new Map(atOrigin?.rungs.map((rung) => [rung.name, rung]));
  const names = [...new Set([...stream.renditions, ...rungs.keys()])];
  return (
    <section className="panel" aria-labelledby="renditions-title">
      <h2 id="renditions-title">Renditions</h2>
      <Scrolled label="Renditions">
        <table>
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">State</th>
              <th scope="col">Picture or sound</th>
              <th scope="col">Bitrate</th>
              <th scope="col">Made by</th>
            </tr>
          </thead>
          <tbody>
            {names.map((name) => {
              const rung = rungs.get(name);
              const size = rung?.height === undefined ? '' : `${rung.width} × ${rung.height} · `;
              return (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>
                    <span className={`state ${rung?.state ?? 'running'}`}>
                      {rung?.state ?? (name === 'source' ? 'as published' : 'running')}
                    </span>
                    {rung?.reason !== undefined && <span className="note block">{rung.reason}</span>}
                  </td>
                  <td>{rung === undefined ? UNKNOWN : `${size}${rung.codec}`}</td>
                  <td>{formatBitrate(name === 'source' ? atOrigin?.bitrateBps : rung?.bitrateBps)}</td>
                  <td>
                    {stream.makers.find(({ rendition }) => rendition === name)?.node ?? (name === 'source' ? 'publisher' : stream.origin)}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </Scrolled>
    </section>
  );
}

function Places({ stream: { origin, places } }: { readonly stream: ClusterStreamDetail }): JSX.Element {
  return (
    <section className="panel" aria-labelledby="places-title">
      <h2 id="places-title">Where it is</h2>
      <ul className="places">
        {places.map(({ node, region, hops, viewers, bitrateBps }) => (
          <li key={node}>
            <span className="way">
              {[...hops, node].map((id, index) => (
                <span key={id} className="hop">
                  {index > 0 && <span aria-hidden="true">→</span>}
                  {index > 0 && <span className="visually-hidden">then</span>}
                  <Link to="/console/nodes" search={{ find: id }}>
                    {id}
                  </Link>
                </span>
              ))}
            </span>
            <span className="note">
              {[
                node === origin ? 'origin' : hops.length > 1 ? 'by a regional origin' : 'from the origin',
                ...(region === '' ? [] : [region]),
                viewers.total === 1 ? '1 viewer' : `${viewers.total.toLocaleString('en')} viewers`,
                formatBitrate(bitrateBps),
              ].join(' · ')}
            </span>
          </li>
        ))}
      </ul>
      {places.length === 0 && <p className="note">No node that has it answers now.</p>}
    </section>
  );
}

function Publishing({ app, name }: { readonly app: string; readonly name: string }): JSX.Element {
  const { data: nodes = [] } = useNodes(useIsInCluster());
  const self = nodes.find((node: NodeResource) => node.self);
  const ways = publishWays(location, rtmpAddress(location, self?.endpoints.rtmp), app, name);
  const links = streamLinks(location, { app, name, path: `${app}/${name}` });
  return (
    <section className="panel" aria-labelledby="reach-title">
      <h2 id="reach-title">Publish and play</h2>
      <Tabs.Root defaultValue="obs" className="tabs">
        <Tabs.List aria-label="Ways to publish" className="tab-list">
          {ways.map(({ id, title }) => (
            <Tabs.Trigger key={id} value={id} className="tab">
              {title}
            </Tabs.Trigger>
          ))}
          <Tabs.Trigger value="play" className="tab">
            Play
          </Tabs.Trigger>
        </Tabs.List>
        {ways.map(({ id, fields, note }) => (
          <Tabs.Content key={id} value={id} className="tab-content">
            {fields.map((field) => (
              <CopyField key={field.label} {...field} />
            ))}
            <p className="note">{note}</p>
          </Tabs.Content>
        ))}
        <Tabs.Content value="play" className="tab-content">
          <CopyField label="WebRTC (WHEP)" value={links.whep} />
          <CopyField label="HLS" value={links.hls} />
          <CopyField label="HTTP-FLV" value={links.flv} />
          <CopyField label="Embed" value={links.embedCode} />
        </Tabs.Content>
      </Tabs.Root>
    </section>
  );
}

function EndStream({ stream: { app, name, path, places } }: { readonly stream: ClusterStreamDetail }): JSX.Element | null {
  const [isAsking, setAsking] = useState(false);
  const end = useEndStream();
  if (!useMayChange()) return null;
  const viewers = places.reduce((sum, place) => sum + place.viewers.total, 0);
  return (
    <>
      <button type="button" className="button danger-text" onClick={() => setAsking(true)}>
        End stream …
      </button>
      {isAsking && (
        <ConfirmDialog
          title={`End ${path}?`}
          action="End the stream"
          isBusy={end.isPending}
          problem={end.error}
          onClose={() => setAsking(false)}
          onConfirm={() => end.mutate({ app, name }, { onSuccess: () => setAsking(false) })}
        >
          <p>
            The publisher is sent away, and the stream ends for {viewers === 1 ? '1 viewer' : `${viewers.toLocaleString('en')} viewers`}.
            The publisher may come back: to keep it out, change the key.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}
