import type { JSX } from 'react';
import { CopyField } from '../design/copy-field.tsx';
import type { StreamLinks } from '../stream-address/stream-address.ts';

/** Links to pass on, code to embed, and addresses for other players. */
export function SharePanel({ links }: { readonly links: StreamLinks }): JSX.Element {
  return (
    <div className="share">
      <section className="panel" aria-labelledby="share-title">
        <h2 id="share-title">Share</h2>
        <CopyField label="Link" value={links.watch} />
        <CopyField label="Embed code" value={links.embedCode} />
      </section>
      <section className="panel" aria-labelledby="players-title">
        <h2 id="players-title">Other players</h2>
        <CopyField label="WHEP (GStreamer, OBS, own pages)" value={links.whep} />
        <CopyField label="HLS (Safari, VLC, ffplay, TVs)" value={links.hls} />
        <CopyField label="HTTP-FLV (VLC, ffplay)" value={links.flv} />
        <CopyField label="RTMP (VLC, ffplay, OBS)" value={links.rtmp} />
      </section>
    </div>
  );
}
