import { Tabs } from 'radix-ui';
import type { JSX, ReactNode } from 'react';
import { CopyField } from '../design/copy-field.tsx';
import type { Way } from './publish-snippets.ts';

interface WayTabsProps {
  /** What they are ways of. */
  readonly label: string;
  /** The first is shown. */
  readonly ways: readonly Way[];
  /** One more tab, with what is no such way. */
  readonly more?: { readonly title: string; readonly content: ReactNode } | undefined;
}

/** What to type into which program, a tab each. */
export function WayTabs({ label, ways, more }: WayTabsProps): JSX.Element {
  return (
    <Tabs.Root defaultValue={ways[0]?.id ?? 'more'} className="tabs">
      <Tabs.List aria-label={label} className="tab-list">
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
