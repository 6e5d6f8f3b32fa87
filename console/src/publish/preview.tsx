import { type JSX, useEffect, useRef } from 'react';
import type { PublishSnapshot } from './publish-session.ts';

const OPEN_LABEL = { camera: 'Turn the camera on', screen: 'Choose a screen or window', test: 'Show the test picture' } as const;

/** What will be sent, without its sound; or the way to it. */
export function Preview({ view, onOpen }: { readonly view: PublishSnapshot; readonly onOpen: () => void }): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  const { stream, settings, isOpening, sourceProblem } = view;
  useEffect(() => {
    if (!video.current) return;
    video.current.srcObject = stream ?? null;
    // A preview that the browser does not start is still only a preview.
    if (stream) video.current.play().catch(() => undefined);
  }, [stream]);
  return (
    <section className="preview" aria-label="Preview">
      <video ref={video} muted playsInline className={settings.source === 'camera' ? 'mirrored' : ''} hidden={!stream} />
      {!stream && (
        <div className="preview-empty">
          {sourceProblem && (
            <div role="alert">
              <p className="preview-title">{sourceProblem.title}</p>
              <p>{sourceProblem.hint}</p>
            </div>
          )}
          <button type="button" className="button" onClick={onOpen} disabled={isOpening}>
            {isOpening ? 'Waiting for the browser …' : OPEN_LABEL[settings.source]}
          </button>
        </div>
      )}
    </section>
  );
}
