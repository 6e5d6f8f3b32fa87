import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import type { ApiProblem } from './api-client.ts';
import { Standing } from './parts.tsx';

/** As {@link Standing}; who needs a key to see something is shown the way to sign in. */
export function NeedsKey({
  problem,
  isLoading,
  what,
}: {
  readonly problem: ApiProblem | null;
  readonly isLoading: boolean;
  readonly what: string;
}): JSX.Element | null {
  if (problem?.status !== 401 && problem?.status !== 403) return <Standing problem={problem} isLoading={isLoading} />;
  return (
    <p className="notice">
      {problem.status === 401 ? `To see ${what}, sign in with a key.` : `To see ${what}, sign in with an admin key.`}{' '}
      <Link to="/console/sign-in">Sign in</Link>
    </p>
  );
}
