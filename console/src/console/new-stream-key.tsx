import { Tabs } from 'radix-ui';
import { type JSX, useState } from 'react';
import type { NewStreamKeyResource } from '../../../src/api/access-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { SecretDialog, TextField } from './forms.tsx';
import { publishWays, rtmpAddress } from './publish-snippets.ts';
import { useNodes } from './queries.ts';
import { useIsInCluster } from './session-context.ts';

/** A new key, this once, with what to type into which program. */
export function NewStreamKey({ made, onClose }: { readonly made: NewStreamKeyResource; readonly onClose: () => void }): JSX.Element {
  const [typed, setTyped] = useState('show');
  const { data: nodes = [] } = useNodes(useIsInCluster());
  const name = made.stream ?? (typed === '' ? 'show' : typed);
  const ways = publishWays(location, rtmpAddress(location, nodes.find(({ self }) => self)?.endpoints.rtmp), made.app, name, made.key);
  return (
    <SecretDialog title="The new stream key" onClose={onClose}>
      <CopyField label="Stream key" value={made.key} />
      {made.stream === undefined && <TextField label="Stream, for the settings below" value={typed} onChange={setTyped} />}
      <Tabs.Root defaultValue="obs" className="tabs">
        <Tabs.List aria-label="Ways to publish" className="tab-list">
          {ways.map(({ id, title }) => (
            <Tabs.Trigger key={id} value={id} className="tab">
              {title}
            </Tabs.Trigger>
          ))}
        </Tabs.List>
        {ways.map(({ id, fields, note }) => (
          <Tabs.Content key={id} value={id} className="tab-content">
            {fields.map((field) => (
              <CopyField key={field.label} {...field} />
            ))}
            <p className="note">{note}</p>
          </Tabs.Content>
        ))}
      </Tabs.Root>
    </SecretDialog>
  );
}
