import type { JSX } from 'react';
import { PageHeader } from '../design/page-header.tsx';

/** Shown for an address that names no stream. */
export function NoAddress(): JSX.Element {
  return (
    <div className="page">
      <PageHeader />
      <main className="panel no-address">
        <h1>No stream can have this address</h1>
        <p>
          Publish at <code>/publish/APP/NAME</code>, for example <code>/publish/live/show</code>. Names are made of letters, digits, “_”,
          “.” and “-”.
        </p>
        <a className="button primary" href="/publish/live/show">
          Publish live/show
        </a>
      </main>
    </div>
  );
}
