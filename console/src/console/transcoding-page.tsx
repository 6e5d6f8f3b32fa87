import type { JSX } from 'react';
import { Allocation } from './allocation.tsx';
import { NodeLink } from './node-link.tsx';
import { NodeTranscoding } from './node-transcoding.tsx';
import { PageTitle, Standing } from './parts.tsx';
import { useTranscoding } from './queries.ts';
import { useIsInCluster } from './session-context.ts';

/** What each node makes of streams, within which limit, and why. */
export function TranscodingPage(): JSX.Element {
  const { data, error, isPending } = useTranscoding();
  return (
    <>
      <PageTitle title="Transcoding" />
      {useIsInCluster() && <Allocation />}
      <Standing problem={error} isLoading={isPending} />
      {data?.items.map((item) => (
        <NodeTranscoding key={item.node} of={item} title={<NodeLink id={item.node} />} />
      ))}
    </>
  );
}
