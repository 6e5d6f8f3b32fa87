import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type FormEvent, type JSX, useState } from 'react';
import type { ApiProblem } from './api-client.ts';
import { SelectField, TextField } from './forms.tsx';
import { NodeLink } from './node-link.tsx';
import { useNodeName } from './node-names.ts';
import { AloneNotice, Figure, PageTitle, Standing } from './parts.tsx';
import {
  askRoute,
  extentWords,
  type RouteAnswer,
  type RouteOpinion,
  type RouteQuestion,
  refusalWords,
  scoreWords,
} from './route-answer.ts';
import { useIsInCluster } from './session-context.ts';
import { StackTable } from './stack-table.tsx';

/** Which node a viewer or publisher is sent to, and why not to another. */
export function RoutingPage(): JSX.Element {
  return (
    <>
      <PageTitle title="Routing" />
      {useIsInCluster() ? (
        <Asking />
      ) : (
        <AloneNotice what="Everybody is served by it. In a cluster, this page shows to which node a viewer is sent, and why." />
      )}
    </>
  );
}

function Asking(): JSX.Element {
  const asked = useSearch({ from: '/console/routing' });
  const { data, error, isPending } = useQuery<RouteAnswer, ApiProblem>({
    queryKey: ['route', asked],
    queryFn: () => askRoute(asked),
    refetchInterval: 2_000,
    retry: false,
  });
  return (
    <>
      <p className="note">
        Why a viewer is sent where: to which node somebody who asks now goes, and why not to another. For a stream, two of the nodes that
        are near enough are drawn and the better one is taken, so one answer may differ from the next; without a stream, one node follows
        the other.
      </p>
      <Question key={JSON.stringify(asked)} asked={asked} />
      <Standing problem={error} isLoading={isPending} />
      {data && error === null && <Outcome answer={data} />}
    </>
  );
}

function Question({ asked }: { readonly asked: RouteQuestion }): JSX.Element {
  const [draft, setDraft] = useState({ stream: '', region: '', address: '', ...asked, kind: asked.publish === true ? 'publish' : 'play' });
  const navigate = useNavigate();
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const { stream, region, address, kind } = draft;
    const search = {
      ...(stream === '' ? {} : { stream }),
      ...(region === '' ? {} : { region }),
      ...(address === '' ? {} : { address }),
      ...(kind === 'publish' ? { publish: true } : {}),
    };
    void navigate({ to: '/console/routing', search, replace: true });
  };
  return (
    <form className="panel form" onSubmit={submit}>
      <div className="fields">
        <SelectField
          label="Somebody wants to"
          value={draft.kind}
          onChange={(kind) => setDraft({ ...draft, kind })}
          choices={[
            ['play', 'watch'],
            ['publish', 'publish'],
          ]}
        />
        <TextField
          label="Stream"
          value={draft.stream}
          onChange={(stream) => setDraft({ ...draft, stream })}
          placeholder="any"
          note="app/name"
        />
        <TextField
          label="Region"
          value={draft.region}
          onChange={(region) => setDraft({ ...draft, region })}
          placeholder="by the address"
          note="Where the client says it is"
        />
        <TextField
          label="Address"
          value={draft.address}
          onChange={(address) => setDraft({ ...draft, address })}
          placeholder="yours"
          note="Where the client is, by its network"
        />
      </div>
      <div className="form-buttons">
        <button type="submit" className="button primary">
          Ask
        </button>
      </div>
    </form>
  );
}

function Outcome({ answer: { node, region, extent, nodes } }: { readonly answer: RouteAnswer }): JSX.Element {
  const nodeName = useNodeName();
  return (
    <>
      <dl className="figures" aria-live="polite">
        <Figure
          label="Sent to"
          value={<span className="small id">{node === undefined ? 'nobody' : nodeName(node)}</span>}
          note={node === undefined ? 'No node can take this now.' : nodes.find((opinion) => opinion.node === node)?.region}
        />
        <Figure
          label="Taken to be in"
          value={<span className="small">{region === undefined || region === '' ? 'no region' : region}</span>}
        />
      </dl>
      <section className="panel" aria-labelledby="opinions-title">
        <h2 id="opinions-title">The nodes, the best first</h2>
        <StackTable label="Nodes and their scores" heads={['Node', 'Region', 'Score', 'Room left', 'Why']}>
          {nodes.map((opinion) => (
            <OpinionRow key={opinion.node} opinion={opinion} chosen={opinion.node === node ? { extent } : undefined} />
          ))}
        </StackTable>
      </section>
    </>
  );
}

interface OpinionRowProps {
  readonly opinion: RouteOpinion;
  /** Absent: another one was chosen. */
  readonly chosen: { readonly extent: string | undefined } | undefined;
}

function OpinionRow({ opinion, chosen }: OpinionRowProps): JSX.Element {
  const { node, region, score, headroom, refusal } = opinion;
  return (
    <tr>
      <th scope="row" className="id">
        <NodeLink id={node} />
        {chosen && <span className="badge active chosen">chosen</span>}
      </th>
      <td data-label="Region">{region}</td>
      <td data-label="Score">{refusal === undefined ? score.toFixed(1) : '–'}</td>
      <td data-label="Room left">{`${Math.round(headroom * 100)} %`}</td>
      <td data-label="Why">
        {refusal === undefined ? (
          scoreWords(opinion)
        ) : chosen ? (
          extentWords(chosen.extent)
        ) : (
          <>
            <span className="state failed">not this one</span>
            <span className="note block">{refusalWords(refusal)}</span>
          </>
        )}
      </td>
    </tr>
  );
}
