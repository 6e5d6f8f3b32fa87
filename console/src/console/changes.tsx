import type { JSX } from 'react';
import type { SettingsDifferenceResource } from '../../../src/api/settings-contract.ts';
import { difference } from './difference.ts';

const SHOWN_MAX = 200;

/** What differs between two versions of the settings, value by value: what is set at once as a whole is shown in its parts, too. */
export function Changes({ changes }: { readonly changes: readonly SettingsDifferenceResource[] }): JSX.Element {
  const lines = changes.flatMap(({ path, before, after }) => difference(before, after, { under: path, isNullUnset: true }));
  if (lines.length === 0) return <p className="note">Nothing.</p>;
  return (
    <>
      <ul className="diff" aria-label="What changes">
        {lines.slice(0, SHOWN_MAX).map(({ kind, text }) => (
          <Line key={`${kind} ${text}`} kind={kind} text={text} />
        ))}
      </ul>
      {lines.length > SHOWN_MAX && <p className="note">and {(lines.length - SHOWN_MAX).toLocaleString('en')} more</p>}
    </>
  );
}

/** One line of a difference. */
export function Line({ kind, text }: { readonly kind: 'gone' | 'new'; readonly text: string }): JSX.Element {
  return (
    <li className={kind}>
      <span aria-hidden="true">{kind === 'gone' ? '−' : '+'}</span>
      <span>
        <span className="visually-hidden">{kind === 'gone' ? 'before: ' : 'after: '}</span>
        {text}
      </span>
    </li>
  );
}
