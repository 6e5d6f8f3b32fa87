import { Tabs } from 'radix-ui';
import type { JSX, ReactNode } from 'react';
import { CopyField } from '../design/copy-field.tsx';
import { publishWays, rtmpAddress } from './publish-snippets.ts';
import { useNodes } from './queries.ts';
import { useIsInCluster } from './session-context.ts';

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
  const { data: nodes = [] } = useNodes(useIsInCluster());
  const ways = publishWays(location, rtmpAddress(location, nodes.find(({ self }) => self)?.endpoints.rtmp), app, name, streamKey);
  return (
    <Tabs.Root defaultValue="obs" className="tabs">
      <Tabs.List aria-label="Ways to publish" className="tab-list">
        {ways.map(({ id, title }) => (
          <Tabs.Trigger key={id} value={id} className="tab">
            {title}
          </Tabs.Trigger>
        ))}
        {more && (
          <Tabs.Trigger value="more" className="tab">
            {more.title}
          </Tabs.Trigger>
        )}
      </Tabs.List>
      {ways.map(({ id, fields, note }) => (
        <Tabs.Content key={id} value={id} className="tab-content">
          {fields.map((field) => (
            <CopyField key={field.label} {...field} />
          ))}
          <p className="note">{note}</p>
        </Tabs.Content>
      ))}
      {more && (
        <Tabs.Content value="more" className="tab-content">
          {more.content}
        </Tabs.Content>
      )}
    </Tabs.Root>
  );
}
