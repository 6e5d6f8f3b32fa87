// `npm run interop`: publishes into the built server with the programs people really use, looks at the result through the API and by
// pulling HLS, HTTP-FLV and RTMP with FFmpeg, and writes docs/interop.md. Installs what is missing by apt-get.
// `npm run interop -- obs` tries that publisher alone and writes nothing.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, start, stop, within, work } from '../test/interop/processes.mjs';
import { publishers } from '../test/interop/publishers.mjs';
import { bFrames, PER_SECOND_MIN, PULL_S, pullWithFfmpeg, pullWithRtmpdump } from '../test/interop/pulls.mjs';
import { exit, Failure, prepare, root, runtime } from './prepare.mjs';
import { aptInstall, onPath } from './prepare-tests.mjs';

const PACKAGES = {
  ffmpeg: ['ffmpeg'],
  obs: ['obs-studio'],
  Xvfb: ['xvfb'],
  'gst-launch-1.0': [
    'gstreamer1.0-tools',
    'gstreamer1.0-plugins-base',
    'gstreamer1.0-plugins-good',
    'gstreamer1.0-plugins-bad',
    'gstreamer1.0-plugins-ugly',
    'gstreamer1.0-libav',
  ],
  rtmpdump: ['rtmpdump'],
};
const START_MS_MAX = 20_000;
const READY_MS_MAX = 40_000;
const GONE_MS_MAX = 20_000;
const WARN_LEVEL = 40;

/** Starts the built server on free ports with a data folder of its own. `log` gathers its log lines, parsed. */
async function startServer() {
  const child = start(runtime(), [join(root, 'dist/app/main.js'), 'start'], {
    SLUICE_DATA_FOLDER: join(work, 'data'),
    SLUICE_LOG_FORMAT: 'json',
    SLUICE_HTTP_PORT: '0',
    SLUICE_RTMP_PORT: '0',
  });
  const log = [];
  const started = new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (!line.startsWith('{')) return;
      const entry = JSON.parse(line);
      log.push(entry);
      if (entry.code === 'app.started') resolve(entry);
    });
    child.ended.then(() => reject(new Failure(`The server ended: ${lastLines(child)}`)));
  });
  const { httpPort, rtmpPort } = await within(START_MS_MAX, 'Starting the server', started);
  return { child, log, http: `http://127.0.0.1:${httpPort}`, rtmp: `rtmp://127.0.0.1:${rtmpPort}` };
}

/** Waits for the stream to play and returns what the API says about it. */
async function ready(server, name, child) {
  const until = Date.now() + READY_MS_MAX;
  while (Date.now() < until) {
    const playlist = await fetch(`${server.http}/live/${name}/index.m3u8`).catch(() => undefined);
    if (playlist?.ok) {
      const api = await fetch(`${server.http}/api/v1/streams/live/${name}`);
      if (api.ok) return api.json();
    }
    if (!child.isRunning) throw new Error(`the publisher ended: ${lastLines(child)}`);
    await sleep(250);
  }
  throw new Error(`the stream did not play within ${READY_MS_MAX / 1000} s: ${lastLines(child)}`);
}

/** Waits for the stream to be gone; 'yes' when its publisher said goodbye, so that it was not held. */
async function ending(server, name) {
  const path = `live/${name}`;
  const until = Date.now() + GONE_MS_MAX;
  while ((await fetch(`${server.http}/api/v1/streams/${path}`)).status !== 404) {
    if (Date.now() > until) return `stream still there after ${GONE_MS_MAX / 1000} s`;
    await sleep(200);
  }
  return server.log.some(({ code, stream }) => code === 'hub.stream-held' && stream === path) ? 'without goodbye, after the hold' : 'yes';
}

const inCell = (text) => String(text).replaceAll('|', '/').replaceAll('\n', ' ').slice(0, 200);

/** Pulls every output; what FFmpeg complained about goes to the row's remarks. */
async function pullAll(server, publisher, row) {
  const url = `${server.rtmp}/live/${publisher.name}`;
  const outputs = [
    ['hls', 'HLS', pullWithFfmpeg, `${server.http}/live/${publisher.name}/index.m3u8`],
    ['flv', 'HTTP-FLV', pullWithFfmpeg, `${server.http}/live/${publisher.name}.flv`],
    ['rtmp', 'RTMP', pullWithFfmpeg, url],
    ...(publisher.playsWithRtmpdump ? [['rtmp', 'rtmpdump', pullWithRtmpdump, url]] : []),
  ];
  for (const [cell, what, pull, from] of outputs) {
    try {
      const complaint = await pull(from);
      if (complaint !== '') row.remarks.push(`${what}: FFmpeg said “${complaint}”`);
      row[cell] ||= 'yes';
    } catch (error) {
      row[cell] = `${what}: ${error.message}`;
    }
  }
}

async function check(server, publisher) {
  const row = {
    title: publisher.title,
    version: publisher.version(),
    publishes: '',
    tracks: '',
    hls: '',
    flv: '',
    rtmp: '',
    ends: '',
    remarks: [],
  };
  const before = server.log.length;
  const { child, finish } = await publisher.run(`${server.rtmp}/live/${publisher.name}`);
  try {
    const stream = await ready(server, publisher.name, child);
    row.publishes = 'yes';
    row.tracks = stream.tracks
      .map(({ codecString, width, height }) => (width === undefined ? codecString : `${codecString} ${width}×${height}`))
      .join(', ');
    row.remarks.push(`reorder depth ${await bFrames(`${server.http}/live/${publisher.name}.flv`)}`);
    await pullAll(server, publisher, row);
    if (!child.isRunning) row.publishes = `ended early: ${lastLines(child)}`;
  } catch (error) {
    row.publishes = error.message;
  } finally {
    await finish().catch((error) => row.remarks.push(error.message));
  }
  row.ends = await ending(server, publisher.name);
  const warnings = server.log.slice(before).filter(({ level }) => level >= WARN_LEVEL);
  row.remarks.push(...new Set(warnings.map(({ code, msg }) => `server: ${code}, ${msg}`)));
  return row;
}

const cellsOf = ({ title, version, tracks, publishes, hls, flv, rtmp, ends, remarks }) =>
  [title, version, tracks, publishes, hls, flv, rtmp, ends, remarks.join('; ')].map(inCell);

const page = (rows) => `# Publishers that were tried

Written by \`npm run interop\`, which starts the built server, publishes with each program, reads the stream's description from the API, and pulls and decodes
${PULL_S} seconds over each output with Debian's FFmpeg. "yes" is exit code 0 and at least ${PER_SECOND_MIN} pictures and audio frames a second; what FFmpeg
complained about meanwhile, and what the server warned of, stands under remarks. The reorder depth is FFmpeg's \`has_b_frames\`: 0 is a stream without B-frames.
FFmpeg 8.1 (through node-av, also Enhanced RTMP with HEVC, AV1, VP9 and Opus) is part of \`npm test\`.

Last run: ${new Date().toISOString().slice(0, 10)}.

| publisher | version | tracks | ingest | HLS | HTTP-FLV | RTMP | ends cleanly | remarks |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
${rows.map((row) => `| ${cellsOf(row).join(' | ')} |`).join('\n')}
`;

async function main() {
  const wanted = process.argv.slice(2);
  const unknown = wanted.find((name) => !publishers.some((publisher) => publisher.name === name));
  if (unknown !== undefined) {
    throw new Failure(`There is no publisher "${unknown}". There are ${publishers.map(({ name }) => name).join(', ')}.`, 2);
  }
  await prepare();
  const missing = Object.entries(PACKAGES).flatMap(([program, packages]) => (onPath(program) ? [] : packages));
  if (missing.length > 0) await aptInstall(missing, `The interop tests need ${missing.join(', ')}.`);
  const server = await startServer();
  const rows = [];
  for (const publisher of publishers.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    process.stdout.write(`${publisher.name} … `);
    const row = await check(server, publisher);
    rows.push(row);
    console.log(JSON.stringify(row));
  }
  const code = await stop(server.child);
  if (wanted.length === 0) writeFileSync(join(root, 'docs/interop.md'), page(rows));
  const isGood = rows.every((row) => [row.publishes, row.hls, row.flv, row.rtmp, row.ends].every((cell) => cell === 'yes'));
  if (code !== 0) console.log(`The server ended with ${code}: ${lastLines(server.child)}`);
  console.log(isGood ? `All ${rows.length} publishers work.` : 'Not everything works: see above.');
  process.exit(isGood && code === 0 ? 0 : 1);
}

await main().catch((error) => exit(error));
