import type { JSX } from 'react';
import type { DeliveryResource } from '../../../src/api/webhook-contract.ts';
import { Standing } from './parts.tsx';
import { useMayChange } from './session-context.ts';
import { formatTime } from './spans.ts';
import { RowButton, StackTable } from './stack-table.tsx';
import { useDeadLetters, useDeleteDeadLetter, useDeliveries, useRetryDeadLetter } from './webhook-queries.ts';

const SHOWN_MAX = 20;

/** Which dot a state gets. */
const STATES: Readonly<Record<DeliveryResource['status'], string>> = {
  delivered: 'running',
  allowed: 'running',
  retrying: 'retrying',
  refused: 'refused',
  dead: 'failed',
  dropped: 'failed',
  down: 'failed',
};

/** The newest of what was sent to a hook. */
export function Deliveries({ app, id }: { readonly app: string; readonly id: string }): JSX.Element {
  const { data, error, isPending } = useDeliveries(app, id);
  const items = data?.items ?? [];
  return (
    <>
      <h3>Deliveries</h3>
      <Standing problem={error} isLoading={isPending} />
      {data && items.length === 0 && <p className="note">Nothing was sent yet.</p>}
      {items.length > 0 && (
        <StackTable label="Deliveries" heads={['When', 'What', 'State', 'Answer']}>
          {items.slice(0, SHOWN_MAX).map((item) => (
            <Delivery key={`${item.id} ${item.node}`} item={item} />
          ))}
        </StackTable>
      )}
    </>
  );
}

function Delivery({
  item: { at, type, stream, status, attempts, durationMs, httpStatus, detail, node },
}: {
  readonly item: DeliveryResource;
}): JSX.Element {
  return (
    <tr>
      <td>{formatTime(at)}</td>
      <td>
        {type}
        {stream !== undefined && <span className="note block">{stream}</span>}
      </td>
      <td>
        <span className={`state ${STATES[status]}`}>{status}</span>
        {attempts > 1 && <span className="note block">{attempts} attempts</span>}
      </td>
      <td>
        {httpStatus ?? 'none'} · {Math.round(durationMs)} ms
        <span className="note block">{[detail, `by ${node}`].filter((part) => part !== undefined).join(' · ')}</span>
      </td>
    </tr>
  );
}

/** Events that could not be delivered, to send again or let go; nothing when there are none. */
export function DeadLetters({ app, id }: { readonly app: string; readonly id: string }): JSX.Element | null {
  const { data: letters = [], error } = useDeadLetters(app, id);
  const retry = useRetryDeadLetter(app, id);
  const remove = useDeleteDeadLetter(app, id);
  const mayChange = useMayChange();
  if (letters.length === 0 && error === null) return null;
  return (
    <>
      <h3>Dead letters</h3>
      <Standing problem={error ?? retry.error ?? remove.error} isLoading={false} />
      <StackTable label="Dead letters" heads={['Given up', 'What', 'Why']} hasButtons={mayChange}>
        {letters.slice(0, SHOWN_MAX).map((letter) => (
          <tr key={letter.id}>
            <td>{formatTime(letter.diedAt)}</td>
            <td>{letter.type}</td>
            <td>
              {letter.httpStatus === undefined ? 'no answer' : `status ${letter.httpStatus}`}
              <span className="note block">
                {[letter.detail, `${letter.attempts} attempts`].filter((part) => part !== undefined).join(' · ')}
              </span>
            </td>
            {mayChange && (
              <td>
                <div className="row-buttons">
                  <RowButton words="Send again" name={`Send ${letter.id} again`} onClick={() => retry.mutate(letter.id)} />
                  <RowButton words="Delete" name={`Delete ${letter.id}`} isDangerous onClick={() => remove.mutate(letter.id)} />
                </div>
              </td>
            )}
          </tr>
        ))}
      </StackTable>
      {letters.length > SHOWN_MAX && <p className="note">and {letters.length - SHOWN_MAX} more</p>}
    </>
  );
}
