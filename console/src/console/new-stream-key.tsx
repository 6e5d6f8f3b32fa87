import { type JSX, useState } from 'react';
import type { NewStreamKeyResource } from '../../../src/api/access-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { SecretDialog } from './dialogs.tsx';
import { TextField } from './forms.tsx';
import { PublishWays } from './publish-ways.tsx';

/** A new key, this once, with what to type into which program. */
export function NewStreamKey({
  made: { app, stream, key },
  onClose,
}: {
  readonly made: NewStreamKeyResource;
  readonly onClose: () => void;
}): JSX.Element {
  const [typed, setTyped] = useState('show');
  return (
    <SecretDialog title="The new stream key" onClose={onClose}>
      <CopyField label="Stream key" value={key} />
      {stream === undefined && <TextField label="Stream, for the settings below" value={typed} onChange={setTyped} />}
      <PublishWays app={app} name={stream ?? (typed === '' ? 'show' : typed)} streamKey={key} />
    </SecretDialog>
  );
}
