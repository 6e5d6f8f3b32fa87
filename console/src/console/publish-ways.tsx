import type { JSX, ReactNode } from 'react';
import { publishWays, rtmpAddress } from './publish-snippets.ts';
import { useNodes } from './queries.ts';
import { useIsInCluster } from './session-context.ts';
import { WayTabs } from './way-tabs.tsx';

interface PublishWaysProps {
  readonly app: string;
  readonly name: string;
  /** A stream key, where there is one to show. */
  readonly streamKey?: string;
  /** One more tab, with what is not about publishing. */
  readonly more?: { readonly title: string; readonly content: ReactNode };
}

/** What to type into which program to publish a stream, a tab each. */
export function PublishWays({ app, name, streamKey, more }: PublishWaysProps): JSX.Element {
  const credential = streamKey === undefined ? undefined : { kind: 'key' as const, value: streamKey };
  return <WayTabs label="Ways to publish" ways={publishWays(location, useRtmpAddress(), app, name, credential)} more={more} />;
}

/** Where the node that shows the page takes RTMP. */
export function useRtmpAddress(): string {
  const { data: nodes = [] } = useNodes(useIsInCluster());
  return rtmpAddress(location, nodes.find(({ self }) => self)?.endpoints.rtmp);
}
