import { Link, useNavigate } from '@tanstack/react-router';
import { type JSX, useState } from 'react';
import type { ListedAppResource } from '../../../src/api/access-contract.ts';
import { formatBitrate, formatViewers } from '../figures/figures.ts';
import { useApps, useCreateApp } from './access-queries.ts';
import { policyWords } from './app-words.ts';
import { FormDialog } from './dialogs.tsx';
import { NoteField, SelectField, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { PageTitle } from './parts.tsx';
import { useMayChange } from './session-context.ts';

/** The apps, and who may publish into and play from each. */
export function AppsPage(): JSX.Element {
  const { data: apps = [], error, isPending } = useApps();
  const [isMaking, setMaking] = useState(false);
  return (
    <>
      <PageTitle title="Apps">
        {useMayChange() && (
          <button type="button" className="button primary" onClick={() => setMaking(true)}>
            Make an app …
          </button>
        )}
      </PageTitle>
      <p className="note">
        An app is the first part of a stream’s name, <code>live</code> in <code>live/show</code>. It says who may publish and who may play.
      </p>
      <NeedsKey problem={error} isLoading={isPending} what="the apps" />
      <ul className="cards">
        {apps.map((app) => (
          <AppCard key={app.name} app={app} />
        ))}
      </ul>
      {!isPending && error === null && apps.length === 0 && <p className="note">There are no apps yet.</p>}
      {isMaking && <NewApp onClose={() => setMaking(false)} />}
    </>
  );
}

function AppCard({ app: { name, note, playback, configured, tokens, usage } }: { readonly app: ListedAppResource }): JSX.Element {
  const keys = tokens.keys.length;
  return (
    <li className="panel card-panel">
      <h2>
        <Link to="/console/apps/$app" params={{ app: name }}>
          {name}
        </Link>
      </h2>
      {note !== '' && <p>{note}</p>}
      <p>
        {usage.streams === 1 ? '1 stream' : `${usage.streams.toLocaleString('en')} streams`}, {formatViewers(usage.viewers)},{' '}
        {formatBitrate(usage.bitrateOutBps)} out
      </p>
      <p className="note">Plays: {policyWords(playback.policy)}</p>
      <p className="note">
        {[
          configured ? 'in the configuration' : 'made by the API',
          keys === 0 ? 'no token keys' : keys === 1 ? '1 token key' : `${keys} token keys`,
        ].join(' · ')}
      </p>
    </li>
  );
}

function NewApp({ onClose }: { readonly onClose: () => void }): JSX.Element {
  const [name, setName] = useState('');
  const [note, setNote] = useState('');
  const [policy, setPolicy] = useState('public');
  const navigate = useNavigate();
  return (
    <FormDialog
      title="Make an app"
      action="Make the app"
      change={useCreateApp()}
      wish={{ name, note, playback: { policy: policy as 'public' | 'token' } }}
      onDone={() => void navigate({ to: '/console/apps/$app', params: { app: name }, search: { part: 'keys' } })}
      onClose={onClose}
    >
      <TextField
        label="Name"
        value={name}
        onChange={setName}
        isRequired
        placeholder="news"
        pattern={['[A-Za-z0-9_][A-Za-z0-9_.\\-]{0,63}', 'Letters, digits, _ . -']}
        note="Letters, digits, _ . -"
      />
      <NoteField value={note} onChange={setNote} />
      <SelectField
        label="Who may play"
        value={policy}
        onChange={setPolicy}
        choices={[
          ['public', policyWords('public')],
          ['token', policyWords('token')],
        ]}
        note="Domains and networks can be set afterwards."
      />
    </FormDialog>
  );
}
