import type { JSX } from 'react';
import { CopyField } from '../design/copy-field.tsx';
import { streamLinks } from '../stream-address/stream-address.ts';
import { PublishWays } from './publish-ways.tsx';

/** How to publish a stream, and how to play it. */
export function StreamPublishing({ app, name }: { readonly app: string; readonly name: string }): JSX.Element {
  const links = streamLinks(location, { app, name, path: `${app}/${name}` });
  const play = (
    <>
      <CopyField label="WebRTC (WHEP)" value={links.whep} />
      <CopyField label="HLS" value={links.hls} />
      <CopyField label="HTTP-FLV" value={links.flv} />
      <CopyField label="Embed" value={links.embedCode} />
    </>
  );
  return (
    <section className="panel" aria-labelledby="reach-title">
      <h2 id="reach-title">Publish and play</h2>
      <PublishWays app={app} name={name} more={{ title: 'Play', content: play }} />
    </section>
  );
}
