import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';
import { useNodeName } from './node-names.ts';

/** A link to a node's page, by its name. */
export function NodeLink({ id }: { readonly id: string }): JSX.Element {
  return (
    <Link to="/console/nodes/$node" params={{ node: id }} title={id}>
      {useNodeName()(id)}
    </Link>
  );
}
