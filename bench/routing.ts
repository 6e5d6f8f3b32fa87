import { MemberProcess } from '../src/cluster/member-process.fixture.ts';
import { MemoryEngine } from '../src/cluster/memory-engine.fixture.ts';
import { ROUTE_WEIGHTS } from '../src/cluster/mod.ts';
import { edgeRecord } from '../src/cluster/node-record.fixture.ts';
import { encodeNodeRecord, nodeKey } from '../src/cluster/node-record.ts';
import { NodeRouting } from '../src/io/mod.ts';
import { type BenchCase, type BenchRow, median } from './bench-case.ts';

const REGIONS = 10;
const DECISIONS = 20_000;
const ROUNDS = 5;

/** What it takes to choose a node for a client of one region, in a cluster of ten nodes and in one of a thousand. */
export const routing: BenchCase = {
  name: 'routing',
  run: async () => [row('for a viewer of a stream', 'live/show'), row('for whoever wants any node, by turns', undefined)],
};

function row(what: string, stream: string | undefined): BenchRow {
  const [few, many] = [routingOf(10), routingOf(1_000)];
  const rounds = Array.from({ length: ROUNDS }, () => ({ few: costUs(few, stream), many: costUs(many, stream) }));
  const ratios = rounds.map((round) => round.many / round.few);
  const fewUs = median(rounds.map((round) => round.few));
  const manyUs = median(rounds.map((round) => round.many));
  return {
    name: `routing: a node of 1,000 ${what}, against one of 10`,
    value: Math.round(median(ratios) * 10) / 10,
    unit: 'times the CPU time',
    // Whose turn it is, is known when all of the region were looked at.
    bar: stream === undefined ? undefined : { atMost: 2 },
    note: `${manyUs.toFixed(1)} and ${fewUs.toFixed(1)} µs a decision, mean of ${DECISIONS}, median of ${ROUNDS} rounds; ${REGIONS} regions`,
  };
}

/** Of a member that knows so many nodes. */
function routingOf(nodes: number): NodeRouting {
  const engine = new MemoryEngine();
  const { membership } = new MemberProcess(engine, 'asked');
  for (let at = 1; at < nodes; at++) {
    const id = `n${at}`;
    engine.write(nodeKey(id), encodeNodeRecord(edgeRecord(id, { region: `r${at % REGIONS}` })), 0);
  }
  engine.advance(2_000);
  if (membership.recordsOf(undefined).length !== nodes) throw new Error('the member does not know all nodes');
  return new NodeRouting({ nodes: membership, hasStream: (node) => node === 'n1', weights: () => ROUTE_WEIGHTS });
}

function costUs(routing: NodeRouting, stream: string | undefined): number {
  const before = process.cpuUsage();
  for (let count = 0; count < DECISIONS; count++) {
    const { node } = routing.route({ kind: 'play', region: `r${count % REGIONS}` }, stream);
    if (node === undefined) throw new Error('no node was found');
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / DECISIONS;
}
