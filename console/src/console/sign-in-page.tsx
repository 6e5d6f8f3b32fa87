import { useNavigate } from '@tanstack/react-router';
import { type FormEvent, type JSX, useId, useState } from 'react';
import { PageTitle, Standing } from './parts.tsx';
import { useSignIn } from './queries.ts';

/** Takes an API key and gives it to the server alone: it is in no storage of the browser, and what comes back no script can read. */
export function SignInPage(): JSX.Element {
  const [key, setKey] = useState('');
  const signIn = useSignIn();
  const navigate = useNavigate();
  const id = useId();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    signIn.mutate(key.trim(), {
      onSuccess: () => {
        setKey('');
        void navigate({ to: '/' });
      },
    });
  };
  return (
    <>
      <PageTitle title="Sign in" />
      <form className="panel sign-in" onSubmit={submit}>
        <label htmlFor={id}>API key</label>
        <input
          id={id}
          type="password"
          name="key"
          autoComplete="off"
          spellCheck={false}
          required
          placeholder="sk_…"
          value={key}
          onChange={(event) => setKey(event.target.value)}
          aria-describedby={`${id}-help`}
        />
        <p id={`${id}-help`} className="note">
          The server printed an admin key when it first started. <code>sluice keys new-admin</code> makes another.
        </p>
        <Standing problem={signIn.error} isLoading={false} />
        <button type="submit" className="button primary" disabled={signIn.isPending}>
          Sign in
        </button>
      </form>
    </>
  );
}
