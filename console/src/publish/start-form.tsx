import { type FormEvent, type JSX, useState } from 'react';
import type { PublishPhase } from './publish-machine.ts';
import type { PublishSession } from './publish-session.ts';

/** The stream key and the button that matters. The key is kept in memory only: it is gone with the page. */
export function StartForm({ session, phase }: { readonly session: PublishSession; readonly phase: PublishPhase }): JSX.Element {
  const [key, setKey] = useState('');
  const isBusy = phase !== 'idle' && phase !== 'failed';
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    if (isBusy) session.stop();
    else void session.start(key.trim());
  };
  return (
    <form className="start" onSubmit={submit} autoComplete="off">
      <label htmlFor="stream-key">Stream key</label>
      <input
        id="stream-key"
        type="password"
        autoComplete="off"
        spellCheck={false}
        value={key}
        disabled={isBusy}
        placeholder="not needed on the server’s own computer"
        onChange={(event) => setKey(event.target.value)}
      />
      <button type="submit" className={isBusy ? 'button stop' : 'button primary'}>
        {isBusy ? 'Stop' : 'Go live'}
      </button>
    </form>
  );
}
