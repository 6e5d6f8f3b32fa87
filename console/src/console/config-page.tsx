import { type JSX, useState } from 'react';
import type { SettingsVersionResource } from '../../../src/api/settings-contract.ts';
import { Changes } from './changes.tsx';
import { useApplied, useRollBack, useSettingsVersion, useSettingsVersions } from './config-queries.ts';
import { ConfirmDialog } from './dialogs.tsx';
import './forms.css';
import { NeedsKey } from './needs-key.tsx';
import { PageTitle, Standing } from './parts.tsx';
import { useMayChange } from './session-context.ts';
import { formatTime } from './spans.ts';

/** The versions of what is set for the whole cluster, and the way back to each. */
export function ConfigPage(): JSX.Element {
  const { data: versions = [], error, isPending } = useSettingsVersions();
  const newest = versions.reduce((most, { version }) => Math.max(most, version), 0);
  return (
    <>
      <PageTitle title="Configuration" />
      <p className="note">
        Apps, ladders, weights and routing rules are the same on all nodes, and each change of them is a version. From a file:{' '}
        <code>sluice apply -f cluster.yaml --dry-run</code>.
      </p>
      <NeedsKey problem={error} isLoading={isPending} what="the configuration" />
      {!isPending && error === null && versions.length === 0 && <p className="note">Nothing was set yet.</p>}
      {versions.length > 0 && (
        <section className="panel" aria-label="Versions">
          <ul className="entries">
            {versions.map((version) => (
              <Version key={version.version} of={version} isNewest={version.version === newest} />
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Version({ of, isNewest }: { readonly of: SettingsVersionResource; readonly isNewest: boolean }): JSX.Element {
  const { version, at, who, action, note, state } = of;
  const [isOpen, setOpen] = useState(false);
  const [isAsking, setAsking] = useState(false);
  const mayChange = useMayChange();
  return (
    <li>
      <div className="entry-head">
        <b>Version {version}</b>
        <time dateTime={at}>{formatTime(at)}</time>
        <span>{note === '' ? action : note}</span>
        <span className="note">by {who}</span>
        {isNewest && <span className="badge active">counts now</span>}
        {state === 'applying' && <span className="badge draining">being applied</span>}
      </div>
      <div className="form-buttons">
        <button type="button" className="link-button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? 'Less' : `What changed in version ${version}`}
        </button>
        {mayChange && !isNewest && (
          <button type="button" className="link-button" onClick={() => setAsking(true)}>
            Back to version {version} …
          </button>
        )}
      </div>
      {isOpen && <VersionChanges version={version} />}
      {isAsking && <RollBack version={version} onClose={() => setAsking(false)} />}
    </li>
  );
}

function VersionChanges({ version }: { readonly version: number }): JSX.Element {
  const { data, error, isPending } = useSettingsVersion(version);
  return (
    <>
      <Standing problem={error} isLoading={isPending} />
      {data && <Changes changes={data.changes} />}
    </>
  );
}

function RollBack({ version, onClose }: { readonly version: number; readonly onClose: () => void }): JSX.Element {
  const preview = useApplied(version);
  return (
    <ConfirmDialog
      title={`Back to version ${version}?`}
      action="Roll back"
      change={useRollBack()}
      wish={{ version, base: preview.data?.version }}
      isReady={preview.data !== undefined}
      onClose={onClose}
    >
      <p>That makes a new version, on all nodes. It changes:</p>
      <Standing problem={preview.error} isLoading={preview.isPending} />
      {preview.data && <Changes changes={preview.data.changes} />}
    </ConfirmDialog>
  );
}
