// `npm run bench [-- [--write] [--json FILE] NAME…]`: measures the built server against its bars. --write puts the table into
// docs/benchmarks.md.
import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { api } from './api.ts';
import { type BenchCase, type BenchRow, barText, isMet } from './bench-case.ts';
import { cluster } from './cluster.ts';
import { consoleBench } from './console.ts';
import { directory } from './directory.ts';
import { latency } from './latency.ts';
import { memory } from './memory.ts';
import { partRequests } from './part-requests.ts';
import { publishersPerCore } from './publishers-per-core.ts';
import { relay } from './relay.ts';
import { routing } from './routing.ts';
import { scrape } from './scrape.ts';
import { simulator } from './simulator.ts';
import { tokenCheck } from './token-check.ts';
import { transcodeAllocation } from './transcode-allocation.ts';
import { transcodeAudio } from './transcode-audio.ts';
import { transcodeCpu } from './transcode-cpu.ts';
import { transcodeFeeding } from './transcode-feeding.ts';
import { transcodeLatency } from './transcode-latency.ts';
import { transcodeStart } from './transcode-start.ts';
import { viewersPerCore } from './viewers-per-core.ts';
import { webrtcFanout, webrtcPeers } from './webrtc-fanout.ts';
import { webrtcJoins } from './webrtc-joins.ts';
import { webrtcLoss } from './webrtc-loss.ts';
import { webrtcStart } from './webrtc-start.ts';
import { webrtcViewers } from './webrtc-viewers.ts';

const PAGE = fileURLToPath(new URL('../docs/benchmarks.md', import.meta.url));
const [BEGIN, END] = ['<!-- bench: begin (written by npm run bench -- --write) -->', '<!-- bench: end -->'];

const CASES: readonly BenchCase[] = [
  viewersPerCore('flv', 2500),
  viewersPerCore('rtmp', 2500),
  viewersPerCore('hls', 2000),
  partRequests,
  publishersPerCore,
  memory,
  latency,
  scrape,
  webrtcFanout,
  webrtcPeers,
  webrtcViewers,
  webrtcStart,
  webrtcJoins,
  webrtcLoss,
  transcodeCpu,
  transcodeLatency,
  transcodeStart,
  transcodeAudio,
  transcodeFeeding,
  transcodeAllocation,
  relay,
  directory,
  cluster,
  routing,
  simulator,
  consoleBench,
  api,
  tokenCheck,
];

const { values, positionals } = parseArgs({ allowPositionals: true, options: { write: { type: 'boolean' }, json: { type: 'string' } } });
const unknown = positionals.filter((name) => !CASES.some((one) => one.name === name));
if (unknown.length > 0) {
  console.error(`no benchmark is called ${unknown.join(', ')}; there are ${CASES.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
if (process.platform !== 'linux' || cpus().length < 2) {
  console.error('the benchmarks need Linux (taskset, /proc) and two CPUs');
  process.exit(2);
}

const rows: BenchRow[] = [];
for (const one of CASES.filter(({ name }) => positionals.length === 0 || positionals.includes(name))) {
  console.log(`${one.name} …`);
  try {
    rows.push(...(await one.run()));
  } catch (error) {
    process.exitCode = 1;
    console.error(`  ${one.name} could not be measured: ${error instanceof Error ? error.message : error}`);
  }
}

const processor = cpus()[0]?.model.trim() ?? 'an unknown processor';
const machine = `${cpus().length} × ${processor}, ${Math.round(totalmem() / 2 ** 30)} GiB, Linux ${release()}, Node.js ${process.versions.node}`;
const measured = new Date().toISOString().slice(0, 10);
const cells = rows.map((row) => [
  row.name,
  `${row.value.toLocaleString('en')} ${row.unit}`,
  barText(row),
  metText(row),
  `${measured}, ${processor}`,
  row.note,
]);
const table = [['what', 'measured', 'bar', 'met', 'when, where', 'how'], ['---', '---', '---', '---', '---', '---'], ...cells]
  .map((cell) => `| ${cell.join(' | ')} |`)
  .join('\n');
console.log(`\n${machine}, ${measured}\n\n${table}\n`);
const json = JSON.stringify({ machine, measured, rows: rows.map((row) => ({ ...row, met: isMet(row) })) }, undefined, 2);
if (values.json === undefined) console.log(json);
else writeFileSync(values.json, `${json}\n`);
if (values.write === true) {
  const page = readFileSync(PAGE, 'utf8');
  const [before = '', rest = ''] = page.split(BEGIN);
  const [old = '', after = '\n'] = rest.split(END);
  // Rows of cases that were not run stay as they are.
  const kept = old.split('\n').filter((line) => positionals.length > 0 && /^\| (?!what |---)/.test(line) && !isMeasured(line));
  const [head = '', rule = '', ...fresh] = table.split('\n');
  const whole = [head, rule, ...kept, ...fresh].join('\n');
  writeFileSync(
    PAGE,
    `${before}${BEGIN}\n\nLast measured ${measured} on ${machine}; each row says when it was, and on which processor.\n\n${whole}\n\n${END}${after}`,
  );
}

function metText(row: BenchRow): string {
  const met = isMet(row);
  if (met === undefined) return '–';
  return met ? 'yes' : 'no';
}

function isMeasured(line: string): boolean {
  return rows.some(({ name }) => line.startsWith(`| ${name} |`));
}
