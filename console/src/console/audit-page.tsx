import { useNavigate, useSearch } from '@tanstack/react-router';
import { type JSX, useEffect, useState } from 'react';
import type { AuditEntryResource } from '../../../src/api/access-contract.ts';
import { useAudit } from './access-queries.ts';
import { Line } from './changes.tsx';
import { difference } from './difference.ts';
import './forms.css';
import { NeedsKey } from './needs-key.tsx';
import { PageTitle } from './parts.tsx';
import { formatTime } from './spans.ts';
import { useSettled } from './use-settled.ts';

const LINES_SHOWN = 6;

/** Who changed what, and what stood there before and after. */
export function AuditPage(): JSX.Element {
  const { find = '' } = useSearch({ from: '/console/audit' });
  const [typed, setTyped] = useState(find);
  const search = useSettled(typed);
  const navigate = useNavigate();
  useEffect(() => {
    if (search !== find) void navigate({ to: '/console/audit', search: search === '' ? {} : { find: search }, replace: true });
  }, [search, find, navigate]);
  const { data: entries = [], error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = useAudit(search);
  return (
    <>
      <PageTitle title="Audit">
        <input
          className="search"
          type="search"
          placeholder="Who, action, app, address"
          aria-label="Search the log of changes"
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
        />
      </PageTitle>
      <NeedsKey problem={error} isLoading={isPending} what="the log of changes" />
      {!isPending && error === null && (
        <p className="note" role="status">
          {entries.length === 0
            ? 'Nothing was changed.'
            : `${entries.length}${hasNextPage ? ' or more' : ''} ${entries.length === 1 ? 'change' : 'changes, the newest first'}`}
        </p>
      )}
      {entries.length > 0 && (
        <section className="panel" aria-label="Changes">
          <ul className="entries">
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ul>
        </section>
      )}
      {hasNextPage && (
        <p>
          <button type="button" className="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Older changes
          </button>
        </p>
      )}
    </>
  );
}

function Entry({ entry: { at, who, address, action, target, before, after } }: { readonly entry: AuditEntryResource }): JSX.Element {
  const [isWhole, setWhole] = useState(false);
  const lines = difference(before, after);
  const shown = isWhole ? lines : lines.slice(0, LINES_SHOWN);
  return (
    <li>
      <div className="entry-head">
        <time dateTime={at}>{formatTime(at)}</time>
        <b>{actionWords(action)}</b>
        <span className="id">{target}</span>
        <span className="note">
          by {whoWords(who)} from {address}
        </span>
      </div>
      {lines.length > 0 && (
        <ul className="diff" aria-label="What changed">
          {shown.map(({ kind, text }) => (
            <Line key={`${kind} ${text}`} kind={kind} text={text} />
          ))}
        </ul>
      )}
      {lines.length > LINES_SHOWN && (
        <button type="button" className="link-button" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? 'Less' : lines.length - LINES_SHOWN === 1 ? 'One more line' : `${lines.length - LINES_SHOWN} more lines`}
        </button>
      )}
    </li>
  );
}

/** `rotateStreamKey` as `Rotate stream key`. */
function actionWords(action: string): string {
  const words = action.replaceAll(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`).trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function whoWords(who: string): string {
  if (who.startsWith('session of key:')) return `the key ${who.slice(15)}, in the console`;
  if (who.startsWith('token:')) return `the join token ${who.slice(6)}`;
  return who.startsWith('key:') ? `the key ${who.slice(4)}` : who;
}
