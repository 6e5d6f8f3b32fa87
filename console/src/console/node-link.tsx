import { Link } from '@tanstack/react-router';
import type { JSX } from 'react';

/** A link to a node's page. */
export const NodeLink = ({ id }: { readonly id: string }): JSX.Element => (
  <Link to="/console/nodes/$node" params={{ node: id }}>
    {id}
  </Link>
);
