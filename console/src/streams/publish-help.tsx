import type { JSX } from 'react';
import { CopyField } from '../design/copy-field.tsx';
import type { PublishInstructions } from '../stream-address/publish-instructions.ts';
import { publishPath } from '../stream-address/stream-address.ts';

/** How to publish from this browser, with OBS or with FFmpeg; `empty` when that is all the page has to show. */
export function PublishHelp({ instructions, empty }: { readonly instructions: PublishInstructions; readonly empty: boolean }): JSX.Element {
  return (
    <div className={empty ? 'publish empty' : 'publish'}>
      {empty && (
        <div className="empty-words">
          <span className="waves" aria-hidden="true" />
          <p className="empty-title">Nobody is live yet</p>
          <p className="note">Publish from this browser or point an encoder here, and the stream appears by itself.</p>
        </div>
      )}
      <section className="panel from-browser" aria-labelledby="browser-title">
        <div>
          <h2 id="browser-title">This browser</h2>
          <p className="note">Camera, screen or a test picture, by WebRTC</p>
        </div>
        <a className="button primary" href={publishPath('live', instructions.streamKey)}>
          Publish from this browser
        </a>
      </section>
      <section className="panel" aria-labelledby="obs-title">
        <h2 id="obs-title">OBS Studio</h2>
        <p className="note">Settings → Stream → Service “Custom…”</p>
        <CopyField label="Server" value={instructions.server} />
        <CopyField label="Stream key" value={instructions.streamKey} />
      </section>
      <section className="panel" aria-labelledby="ffmpeg-title">
        <h2 id="ffmpeg-title">FFmpeg</h2>
        <p className="note">A moving test picture with a tone</p>
        <CopyField label="Command" value={instructions.ffmpeg} />
        <p className="note">
          The stream’s name is <code>{instructions.streamKey}</code>. From another computer the server asks for its key:{' '}
          <code>{instructions.streamKey}?key=…</code>
        </p>
      </section>
    </div>
  );
}
