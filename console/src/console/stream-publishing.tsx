import { Tabs } from 'radix-ui';
import type { JSX } from 'react';
import type { NodeResource } from '../../../src/api/console-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { streamLinks } from '../stream-address/stream-address.ts';
import { publishWays, rtmpAddress } from './publish-snippets.ts';
import { useNodes } from './queries.ts';
import { useIsInCluster } from './session-context.ts';

/** How to publish a stream, and how to play it. */
export function StreamPublishing({ app, name }: { readonly app: string; readonly name: string }): JSX.Element {
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
