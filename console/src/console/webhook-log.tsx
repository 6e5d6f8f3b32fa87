import type { JSX } from 'react';
import type { DeliveryResource } from '../../../src/api/webhook-contract.ts';
import { Scrolled, Standing } from './parts.tsx';
import { useMayChange } from './session-context.ts';
import { formatTime } from './spans.ts';
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
        <Scrolled label="Deliveries">
          <table className="stack">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">State</th>
                <th scope="col">Answer</th>
              </tr>
            </thead>
            <tbody>
              {items.slice(0, SHOWN_MAX).map((item) => (
                <Delivery key={`${item.id} ${item.node}`} item={item} />
              ))}
            </tbody>
          </table>
        </Scrolled>
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
      <Scrolled label="Dead letters">
        <table className="stack">
          <thead>
            <tr>
              <th scope="col">Given up</th>
              <th scope="col">What</th>
              <th scope="col">Why</th>
              {mayChange && <td />}
            </tr>
          </thead>
          <tbody>
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
                      <button
                        type="button"
                        className="button"
                        aria-label={`Send ${letter.id} again`}
                        onClick={() => retry.mutate(letter.id)}
                      >
                        Send again
                      </button>
                      <button
                        type="button"
                        className="button danger-text"
                        aria-label={`Delete ${letter.id}`}
                        onClick={() => remove.mutate(letter.id)}
                      >
                        Delete
                      </button>
                    </div>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </Scrolled>
      {letters.length > SHOWN_MAX && <p className="note">and {letters.length - SHOWN_MAX} more</p>}
    </>
  );
}
