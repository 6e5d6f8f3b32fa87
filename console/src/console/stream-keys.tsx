import { type JSX, useState } from 'react';
import type { AppResource, NewStreamKeyResource, StreamKeyResource } from '../../../src/api/access-contract.ts';
import { useCreateStreamKey, useDeleteStreamKey, useRotateStreamKey, useStreamKeys } from './access-queries.ts';
import { CheckField, FormDialog, PanelHead, SelectField, TextField } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { NewStreamKey } from './new-stream-key.tsx';
import { ConfirmDialog, Scrolled } from './parts.tsx';
import { useMayChange } from './session-context.ts';
import { EXPIRIES, expiryWish, formatExpiry, formatTime, GRACES } from './spans.ts';

interface Asked {
  readonly what: 'rotate' | 'delete';
  readonly key: StreamKeyResource;
}

/** The stream keys of an app: made, rotated and deleted here; their secrets are seen once. */
export function StreamKeys({ app }: { readonly app: AppResource }): JSX.Element {
  const { data: keys = [], error, isPending } = useStreamKeys(app.name);
  const [isMaking, setMaking] = useState(false);
  const [asked, setAsked] = useState<Asked>();
  const [made, setMade] = useState<NewStreamKeyResource>();
  const mayChange = useMayChange();
  const show = (key: NewStreamKeyResource): void => {
    setMaking(false);
    setAsked(undefined);
    setMade(key);
  };
  return (
    <section className="panel" aria-labelledby="keys-title">
      <PanelHead id="keys-title" title="Stream keys">
        {mayChange && (
          <button type="button" className="button primary" onClick={() => setMaking(true)}>
            Make a key …
          </button>
        )}
      </PanelHead>
      <NeedsKey problem={error} isLoading={isPending} what="stream keys" />
      {keys.length > 0 && <KeyTable keys={keys} mayChange={mayChange} ask={setAsked} />}
      {!isPending && error === null && keys.length === 0 && <p className="note">None was made yet.</p>}
      {app.configuredKeys > 0 && (
        <p className="note">
          {app.configuredKeys === 1 ? 'One more is' : `${app.configuredKeys} more are`} in the configuration, and cannot be changed here.
        </p>
      )}
      {isMaking && <MakeKey app={app.name} made={show} onClose={() => setMaking(false)} />}
      {asked?.what === 'rotate' && <RotateKey app={app.name} stream={asked.key} made={show} onClose={() => setAsked(undefined)} />}
      {asked?.what === 'delete' && <DeleteKey app={app.name} stream={asked.key} onClose={() => setAsked(undefined)} />}
      {made && <NewStreamKey made={made} onClose={() => setMade(undefined)} />}
    </section>
  );
}

function KeyTable({
  keys,
  mayChange,
  ask,
}: {
  readonly keys: readonly StreamKeyResource[];
  readonly mayChange: boolean;
  readonly ask: (asked: Asked) => void;
}): JSX.Element {
  const now = Date.now();
  return (
    <Scrolled label="Stream keys">
      <table className="stack">
        <thead>
          <tr>
            <th scope="col">Id</th>
            <th scope="col">Stream</th>
            <th scope="col">Note</th>
            <th scope="col">Counts</th>
            {mayChange && <td />}
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <tr key={key.id}>
              <th scope="row" className="id">
                {key.id}
              </th>
              <td data-label="Stream">{key.stream ?? 'all of the app'}</td>
              <td data-label="Note">{key.note}</td>
              <td data-label="Counts">
                {formatExpiry(key.expiresAt, now)}
                <span className="note block">made {formatTime(key.createdAt)}</span>
                {key.oldSecretUntil !== undefined && Date.parse(key.oldSecretUntil) > now && (
                  <span className="note block">the old secret, too, until {formatTime(key.oldSecretUntil)}</span>
                )}
              </td>
              {mayChange && (
                <td>
                  <div className="row-buttons">
                    <button type="button" className="button" aria-label={`Rotate ${key.id}`} onClick={() => ask({ what: 'rotate', key })}>
                      Rotate …
                    </button>
                    <button
                      type="button"
                      className="button danger-text"
                      aria-label={`Delete ${key.id}`}
                      onClick={() => ask({ what: 'delete', key })}
                    >
                      Delete …
                    </button>
                  </div>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </Scrolled>
  );
}

interface MakeProps {
  readonly app: string;
  readonly made: (key: NewStreamKeyResource) => void;
  readonly onClose: () => void;
}

function MakeKey({ app, made, onClose }: MakeProps): JSX.Element {
  const [stream, setStream] = useState('');
  const [expiry, setExpiry] = useState('');
  const [note, setNote] = useState('');
  const create = useCreateStreamKey(app);
  const wish = { ...(stream === '' ? {} : { stream }), ...expiryWish(expiry), note };
  return (
    <FormDialog
      title={`A stream key for ${app}`}
      action="Make the key"
      isBusy={create.isPending}
      problem={create.error}
      onSubmit={() => create.mutate(wish, { onSuccess: made })}
      onClose={onClose}
    >
      <TextField
        label="Stream"
        value={stream}
        onChange={setStream}
        placeholder="all of the app"
        pattern={['[A-Za-z0-9_][A-Za-z0-9_.\\-]{0,63}', 'Letters, digits, _ . -']}
        note="The one stream that it may publish; empty for all of the app"
      />
      <SelectField label="It counts" value={expiry} onChange={setExpiry} choices={EXPIRIES} />
      <TextField label="Note" value={note} onChange={setNote} lengthMax={100} placeholder="studio 1" note="To know it by" />
    </FormDialog>
  );
}

function RotateKey({ app, stream, made, onClose }: MakeProps & { readonly stream: StreamKeyResource }): JSX.Element {
  const [grace, setGrace] = useState('3600');
  const rotate = useRotateStreamKey(app);
  return (
    <FormDialog
      title={`Rotate ${stream.id}?`}
      action="Rotate"
      isBusy={rotate.isPending}
      problem={rotate.error}
      onSubmit={() => rotate.mutate({ id: stream.id, graceS: Number(grace) }, { onSuccess: made })}
      onClose={onClose}
    >
      <p>It gets a new secret, which is shown once. Who publishes now goes on.</p>
      <SelectField label="The old secret still counts for" value={grace} onChange={setGrace} choices={GRACES} />
    </FormDialog>
  );
}

function DeleteKey({
  app,
  stream: { id, note, stream },
  onClose,
}: {
  readonly app: string;
  readonly stream: StreamKeyResource;
  readonly onClose: () => void;
}): JSX.Element {
  const [endSessions, setEndSessions] = useState(false);
  const remove = useDeleteStreamKey(app);
  return (
    <ConfirmDialog
      title={`Delete the key ${id}?`}
      action="Delete the key"
      isBusy={remove.isPending}
      problem={remove.error}
      onClose={onClose}
      onConfirm={() => remove.mutate({ id, endSessions }, { onSuccess: onClose })}
    >
      <p>
        Nobody can begin to publish {stream === undefined ? `into ${app}` : `${app}/${stream}`} with it any more
        {note === '' ? '' : ` (${note})`}.
      </p>
      <CheckField label="End what is published with it now, too" isChecked={endSessions} onChange={setEndSessions} />
    </ConfirmDialog>
  );
}
