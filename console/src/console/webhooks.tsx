import { type JSX, useState } from 'react';
import type { AppResource } from '../../../src/api/access-contract.ts';
import type { NewWebhookResource } from '../../../src/api/webhook-contract.ts';
import { CopyField } from '../design/copy-field.tsx';
import { SecretDialog } from './dialogs.tsx';
import { NeedsKey } from './needs-key.tsx';
import { NewWebhook } from './new-webhook.tsx';
import { useMayChange } from './session-context.ts';
import { WebhookPanel } from './webhook-panel.tsx';
import { useWebhooks } from './webhook-queries.ts';

/** The webhooks of an app: who is asked before somebody publishes or plays, and who is told what happens. */
export function Webhooks({ app: { name } }: { readonly app: AppResource }): JSX.Element {
  const { data: hooks = [], error, isPending } = useWebhooks(name);
  const [isMaking, setMaking] = useState(false);
  const [made, setMade] = useState<NewWebhookResource>();
  return (
    <>
      {useMayChange() && (
        <p>
          <button type="button" className="button primary" onClick={() => setMaking(true)}>
            Make a webhook …
          </button>
        </p>
      )}
      <NeedsKey problem={error} isLoading={isPending} what="webhooks" />
      {hooks.map((hook) => (
        <WebhookPanel key={hook.id} app={name} hook={hook} rotated={setMade} />
      ))}
      {!isPending && error === null && hooks.length === 0 && (
        <p className="note">None. A webhook is asked before somebody publishes or plays, or is told what happens.</p>
      )}
      {isMaking && (
        <NewWebhook
          app={name}
          onClose={() => setMaking(false)}
          made={(hook) => {
            setMaking(false);
            setMade(hook);
          }}
        />
      )}
      {made && (
        <SecretDialog title="The webhook’s secret" onClose={() => setMade(undefined)}>
          <p>What is sent is signed with it. Check that before you believe it.</p>
          <CopyField label="Secret" value={made.secret} />
        </SecretDialog>
      )}
    </>
  );
}
