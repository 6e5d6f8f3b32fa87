import { keepPreviousData, type UseInfiniteQueryResult, useInfiniteQuery } from '@tanstack/react-query';
import { type JSX, useState } from 'react';
import type { AppResource } from '../../../src/api/access-contract.ts';
import type { RecordingPage, RecordingResource } from '../../../src/api/recordings-contract.ts';
import { formatUptime } from '../figures/figures.ts';
import { type ApiProblem, callApi } from './api-client.ts';
import { ConfirmDialog } from './dialogs.tsx';
import { PanelHead } from './forms.tsx';
import { NeedsKey } from './needs-key.tsx';
import { formatBytes } from './node-figures.ts';
import { NodeLink } from './node-link.tsx';
import { LISTS_MS, useChange } from './queries.ts';
import { useMayChange } from './session-context.ts';
import { formatTime } from './spans.ts';
import { RowButton, StackTable } from './stack-table.tsx';

const PAGE_RECORDINGS = 50;
const pathOf = ({ id }: RecordingResource): string => `/recordings/${encodeURIComponent(id)}`;

/** The recordings of an app, the newest first, as many pages as were asked for. */
function useRecordings(app: string): UseInfiniteQueryResult<readonly RecordingResource[], ApiProblem> {
  return useInfiniteQuery({
    queryKey: ['recordings', app],
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({
        app,
        limit: String(PAGE_RECORDINGS),
        ...(pageParam === undefined ? {} : { cursor: pageParam }),
      });
      return callApi<RecordingPage>('GET', `/recordings?${query}`);
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    select: ({ pages }): readonly RecordingResource[] => pages.flatMap(({ items }) => items),
    refetchInterval: LISTS_MS,
    placeholderData: keepPreviousData,
  });
}

/** What was recorded of an app's streams. */
export function AppRecordings({ app: { name, recording } }: { readonly app: AppResource }): JSX.Element {
  const { data: recordings = [], error, isPending, hasNextPage, isFetchingNextPage, fetchNextPage } = useRecordings(name);
  const [deleting, setDeleting] = useState<RecordingResource>();
  return (
    <section className="panel" aria-labelledby="recordings-title">
      <PanelHead id="recordings-title" title="Recordings" />
      <NeedsKey problem={error} isLoading={isPending} what="recordings" />
      {recordings.length > 0 && <RecordingTable recordings={recordings} ask={setDeleting} />}
      {!isPending && error === null && recordings.length === 0 && (
        <p className="note">None. {recording.mode === 'off' && 'The settings of the app say whether its streams are recorded.'}</p>
      )}
      {hasNextPage && (
        <p>
          <button type="button" className="button" disabled={isFetchingNextPage} onClick={() => void fetchNextPage()}>
            Older recordings
          </button>
        </p>
      )}
      {deleting && <DeleteRecording recording={deleting} onClose={() => setDeleting(undefined)} />}
    </section>
  );
}

function RecordingTable({
  recordings,
  ask,
}: {
  readonly recordings: readonly RecordingResource[];
  readonly ask: (recording: RecordingResource) => void;
}): JSX.Element {
  const mayChange = useMayChange();
  return (
    <StackTable label="Recordings, one a row" heads={['Stream', 'Began', 'Length', 'Size', 'Node', 'Ended as']} hasButtons>
      {recordings.map((recording) => (
        <tr key={recording.id}>
          <th scope="row">{recording.stream}</th>
          <td data-label="Began">{formatTime(recording.startedAt)}</td>
          <td data-label="Length">{formatUptime(recording.durationSeconds * 1000)}</td>
          <td data-label="Size">{formatBytes(recording.sizeBytes)}</td>
          <td data-label="Node">
            <NodeLink id={recording.node} />
          </td>
          <td data-label="Ended as">{recording.reason?.message ?? 'it is being recorded'}</td>
          <td>
            <div className="row-buttons">
              {recording.sizeBytes > 0 && (
                <a className="button" href={`/api/v1${pathOf(recording)}/file`} aria-label={`Download ${recording.id}`}>
                  Download
                </a>
              )}
              {mayChange && <RowButton words="Delete …" name={`Delete ${recording.id}`} isDangerous onClick={() => ask(recording)} />}
            </div>
          </td>
        </tr>
      ))}
    </StackTable>
  );
}

function DeleteRecording({ recording, onClose }: { readonly recording: RecordingResource; readonly onClose: () => void }): JSX.Element {
  const remove = useChange<void>(() => callApi('DELETE', pathOf(recording)), ['recordings']);
  return (
    <ConfirmDialog
      title={`Delete this recording of ${recording.stream}?`}
      action="Delete the recording"
      change={remove}
      wish={undefined}
      onClose={onClose}
    >
      <p>
        It is {formatUptime(recording.durationSeconds * 1000)} long, and began {formatTime(recording.startedAt)}. Its file goes with it.
      </p>
    </ConfirmDialog>
  );
}
