import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';

/** A link to a stream's page; `path` is `app/name`. */
export function StreamLink({ path }: { readonly path: string }): JSX.Element {
  const [app = '', name = ''] = path.split('/');
  return (
    <Link to="/console/streams/$app/$name" params={{ app, name }}>
      {path}
    </Link>
  );
}
