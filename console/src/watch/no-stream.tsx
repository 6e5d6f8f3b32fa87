import type { JSX } from 'react';
import { PageHeader } from '../design/page-header.tsx';

/** Shown for an address that names no stream. */
export function NoStream(): JSX.Element {
  return (
    <div className="page">
      <PageHeader />
      <main className="panel no-stream">
        <h1>No stream has this address</h1>
        <p>
          A watch page is found at <code>/watch/APP/NAME</code>, for example <code>/watch/live/show</code>.
        </p>
        <a className="button primary" href="/">
          See what is live
        </a>
      </main>
    </div>
  );
}
