// `npm run interop`: publishes into the built server with the programs people really use, looks at the result through the API and by
// pulling HLS, HTTP-FLV and RTMP with FFmpeg, and writes docs/interop.md. Installs what is missing by apt-get.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { exit, prepare, root, runtime } from './prepare.mjs';
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
const READY_MS_MAX = 40_000;
const PULL_S = 4;

const work = mkdtempSync(join(tmpdir(), 'sluice-interop-'));
const children = new Set();

/** Starts a program whose output is kept for when it fails. */
function start(command, args, environment = {}) {
  const child = spawn(command, args, { cwd: work, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  children.add(child);
  child.text = '';
  const keep = (chunk) => {
    child.text = (child.text + chunk).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  child.ended = new Promise((resolve) => {
    child.on('error', (error) => {
      keep(error.message);
      resolve(-1);
    });
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve(code ?? signal);
    });
  });
  return child;
}

async function stop(child, signal = 'SIGINT') {
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await child.ended;
  clearTimeout(timer);
}

async function startServer() {
  const child = start(runtime(), [join(root, 'dist/app/main.js'), 'start'], {
    SLUICE_DATA_FOLDER: join(work, 'data'),
    SLUICE_LOG_FORMAT: 'json',
    SLUICE_HTTP_PORT: '0',
    SLUICE_RTMP_PORT: '0',
  });
  const ports = await new Promise((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"app.started"')) resolve(JSON.parse(line));
    });
    child.ended.then(() => reject(new Error(`the server ended: ${child.text}`)));
  });
  return { child, http: `http://127.0.0.1:${ports.httpPort}`, rtmp: `rtmp://127.0.0.1:${ports.rtmpPort}` };
}

const version = (command, args, pattern) =>
  pattern.exec(execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))?.[1] ?? '?';
const testSource = [
  '-re',
  '-f',
  'lavfi',
  '-i',
  'testsrc2=size=640x360:rate=30',
  '-re',
  '-f',
  'lavfi',
  '-i',
  'sine=frequency=440:sample_rate=48000',
];
const x264 = ['-c:v', 'libx264', '-preset', 'veryfast', '-pix_fmt', 'yuv420p', '-g', '60', '-b:v', '800k', '-c:a', 'aac'];

/** How each publisher is started; returns what ends it. */
const publishers = [
  {
    name: 'ffmpeg',
    title: () => `FFmpeg ${version('ffmpeg', ['-version'], /version (\S+)/)} (Debian)`,
    run: (url) => start('ffmpeg', ['-nostdin', '-loglevel', 'error', ...testSource, ...x264, '-f', 'flv', url]),
  },
  {
    name: 'ffmpeg-no-b',
    title: () => 'the same, -tune zerolatency',
    run: (url) => start('ffmpeg', ['-nostdin', '-loglevel', 'error', ...testSource, ...x264, '-tune', 'zerolatency', '-f', 'flv', url]),
  },
  {
    name: 'gstreamer',
    title: () => `GStreamer ${version('gst-launch-1.0', ['--version'], /GStreamer (\S+)/)}, rtmp2sink`,
    run: (url) =>
      start('gst-launch-1.0', [
        ...'videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=60 bitrate=800 ! h264parse ! mux.'.split(
          ' ',
        ),
        ...'audiotestsrc is-live=true ! audio/x-raw,rate=48000 ! avenc_aac ! aacparse ! mux.'.split(' '),
        ...`flvmux name=mux streamable=true ! rtmp2sink location=${url}`.split(' '),
      ]),
  },
  {
    name: 'librtmp',
    title: () => `librtmp (GStreamer's rtmpsink, rtmpdump ${version('dpkg-query', ['-W', '-f', '$' + '{Version}', 'librtmp1'], /^(\S+)/)})`,
    run: (url) =>
      start('gst-launch-1.0', [
        ...'videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! x264enc tune=zerolatency speed-preset=veryfast key-int-max=60 bitrate=800 ! h264parse ! mux.'.split(
          ' ',
        ),
        ...'audiotestsrc is-live=true ! audio/x-raw,rate=48000 ! avenc_aac ! aacparse ! mux.'.split(' '),
        'flvmux',
        'name=mux',
        'streamable=true',
        '!',
        'rtmpsink',
        `location=${url} live=1`,
      ]),
  },
  { name: 'obs', title: () => `OBS Studio ${version('obs', ['--version'], /OBS Studio - (\S+)/)}`, run: startObs },
];

/** OBS with a profile and a scene of its own, under a virtual screen. */
function startObs(url) {
  const home = join(work, 'obs');
  const [server, key] = [url.slice(0, url.lastIndexOf('/')), url.slice(url.lastIndexOf('/') + 1)];
  const config = join(home, 'obs-studio');
  const profile = join(config, 'basic/profiles/Sluice');
  mkdirSync(profile, { recursive: true });
  mkdirSync(join(config, 'basic/scenes'), { recursive: true });
  writeFileSync(
    join(config, 'global.ini'),
    '[General]\nFirstRun=true\nEnableAutoUpdates=false\nLastVersion=486539264\n[Basic]\nProfile=Sluice\nProfileDir=Sluice\nSceneCollection=Sluice\nSceneCollectionFile=Sluice\n',
  );
  writeFileSync(
    join(profile, 'basic.ini'),
    '[General]\nName=Sluice\n[Video]\nBaseCX=640\nBaseCY=360\nOutputCX=640\nOutputCY=360\nFPSCommon=30\n[Output]\nMode=Simple\n[SimpleOutput]\nVBitrate=800\nABitrate=96\nStreamEncoder=x264\nUseAdvanced=true\nPreset=veryfast\nx264Settings=keyint=60\n',
  );
  writeFileSync(
    join(profile, 'service.json'),
    JSON.stringify({ type: 'rtmp_custom', settings: { server, key, use_auth: false, bwtest: false } }),
  );
  const colour = {
    id: 'color_source_v3',
    versioned_id: 'color_source_v3',
    name: 'Colour',
    settings: { color: 4278255360, width: 640, height: 360 },
  };
  const scene = {
    id: 'scene',
    name: 'Scene',
    settings: { id_counter: 1, items: [{ name: 'Colour', id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 } }] },
  };
  writeFileSync(
    join(config, 'basic/scenes/Sluice.json'),
    JSON.stringify({
      name: 'Sluice',
      current_scene: 'Scene',
      current_program_scene: 'Scene',
      scene_order: [{ name: 'Scene' }],
      sources: [colour, scene],
    }),
  );
  // A session of its own lets the whole tree (xvfb-run, Xvfb, obs) be ended together.
  return start(
    'xvfb-run',
    [
      '-a',
      '-s',
      '-screen 0 1280x720x24',
      'obs',
      '--startstreaming',
      '--profile',
      'Sluice',
      '--collection',
      'Sluice',
      '--minimize-to-tray',
      '--multi',
      '--disable-updater',
      '--disable-missing-files-check',
    ],
    { XDG_CONFIG_HOME: home, HOME: home, QT_QPA_PLATFORM: 'xcb', LIBGL_ALWAYS_SOFTWARE: '1', XDG_RUNTIME_DIR: work },
  );
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
    if (!children.has(child)) throw new Error(`the publisher ended: ${child.text.trim().split('\n').slice(-3).join(' ')}`);
    await sleep(250);
  }
  throw new Error(`the stream did not play within ${READY_MS_MAX / 1000} s: ${child.text.trim().split('\n').slice(-3).join(' ')}`);
}

/** Pulls a few seconds with FFmpeg and decodes them; throws an Error on anything that FFmpeg complains about. */
async function pull(url) {
  const child = start('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', url, '-t', String(PULL_S), '-f', 'framecrc', '-']);
  let frames = 0;
  let samples = 0;
  createInterface({ input: child.stdout }).on('line', (line) => {
    if (line.startsWith('0,')) frames++;
    else if (line.startsWith('1,')) samples++;
  });
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), 30_000);
  const code = await child.ended;
  clearTimeout(timer);
  const complaint = errors.trim().split('\n')[0] ?? '';
  if (code !== 0) throw new Error(`FFmpeg ended with ${code}: ${complaint}`);
  if (frames < PULL_S * 20 || samples < PULL_S * 20)
    throw new Error(`only ${frames} pictures and ${samples} audio frames in ${PULL_S} s. ${complaint}`);
  if (complaint !== '') throw new Error(complaint);
}

const short = (error) =>
  String(error instanceof Error ? error.message : error)
    .replaceAll('|', '/')
    .replaceAll('\n', ' ')
    .slice(0, 160);

async function check(server, publisher) {
  const row = { title: publisher.title(), publishes: 'yes', tracks: '', hls: '–', flv: '–', rtmp: '–', ends: '–' };
  const url = `${server.rtmp}/live/${publisher.name}`;
  const child = publisher.run(url);
  try {
    const stream = await ready(server, publisher.name, child);
    row.tracks = stream.tracks
      .map(({ codecString, width, height }) => (width === undefined ? codecString : `${codecString} ${width}×${height}`))
      .join(', ');
    const outputs = {
      hls: `${server.http}/live/${publisher.name}/index.m3u8`,
      flv: `${server.http}/live/${publisher.name}.flv`,
      rtmp: url,
    };
    for (const [output, from] of Object.entries(outputs)) {
      row[output] = await pull(from).then(
        () => 'yes',
        (error) => short(error),
      );
    }
  } catch (error) {
    row.publishes = short(error);
  }
  await stop(child);
  const until = Date.now() + 20_000;
  let status = 200;
  while (Date.now() < until && status !== 404) {
    status = (await fetch(`${server.http}/api/v1/streams/live/${publisher.name}`)).status;
    await sleep(200);
  }
  row.ends = status === 404 ? 'yes' : 'stream still there after 20 s';
  return row;
}

function page(rows) {
  const cells = rows.map((row) => `| ${[row.title, row.publishes, row.tracks, row.hls, row.flv, row.rtmp, row.ends].join(' | ')} |`);
  return `# Publishers that were tried

Written by \`npm run interop\`, which starts the built server, publishes with each program, reads the stream's description from the API, and pulls and decodes
${PULL_S} seconds over each output with Debian's FFmpeg: at least 20 pictures and audio frames a second, and not one complaint. FFmpeg 8.1 (through node-av, also
Enhanced RTMP with HEVC, AV1, VP9 and Opus) is part of \`npm test\`.

Last run: ${new Date().toISOString().slice(0, 10)}.

| publisher | publishes | tracks | HLS | HTTP-FLV | RTMP | ends cleanly |
| --- | --- | --- | --- | --- | --- | --- |
${cells.join('\n')}
`;
}

async function main() {
  await prepare();
  const missing = Object.entries(PACKAGES).flatMap(([program, packages]) => (onPath(program) ? [] : packages));
  if (missing.length > 0) await aptInstall(missing, `The interop tests need ${missing.join(', ')}.`);
  const wanted = process.argv.slice(2);
  const server = await startServer();
  const rows = [];
  for (const publisher of publishers.filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    process.stdout.write(`${publisher.name} … `);
    const row = await check(server, publisher);
    rows.push(row);
    console.log(JSON.stringify(row));
  }
  await stop(server.child);
  if (wanted.length === 0) writeFileSync(join(root, 'docs/interop.md'), page(rows));
  const good = rows.every((row) => [row.publishes, row.hls, row.flv, row.rtmp, row.ends].every((cell) => cell === 'yes'));
  console.log(good ? `All ${rows.length} publishers work.` : 'Not everything works: see above.');
  if (!good) process.exitCode = 1;
}

try {
  await main();
} catch (error) {
  exit(error);
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(work, { recursive: true, force: true });
}
