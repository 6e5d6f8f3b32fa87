// OBS Studio with a profile and a scene of its own, on a virtual screen, ended through its WebSocket interface as its "Stop Streaming" button does.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { freePort, start, stop, within, work } from './processes.mjs';

const SCREEN_MS_MAX = 10_000;
const ANSWER_MS_MAX = 5000;

const ini = (sections) =>
  Object.entries(sections)
    .map(
      ([name, keys]) =>
        `[${name}]\n${Object.entries(keys)
          .map(([key, value]) => `${key}=${value}\n`)
          .join('')}`,
    )
    .join('\n');

function writeSettings(folder, url, port) {
  const profile = join(folder, 'basic/profiles/Sluice');
  const scenes = join(folder, 'basic/scenes');
  mkdirSync(profile, { recursive: true });
  mkdirSync(scenes, { recursive: true });
  const global = {
    // LastVersion 29.0.2 and FirstRun keep the first-run wizard away.
    General: { FirstRun: true, EnableAutoUpdates: false, LastVersion: 486539266 },
    Basic: { Profile: 'Sluice', ProfileDir: 'Sluice', SceneCollection: 'Sluice', SceneCollectionFile: 'Sluice' },
    OBSWebSocket: { FirstLoad: false, ServerEnabled: true, ServerPort: port, AuthRequired: false, AlertsEnabled: false },
  };
  const basic = {
    General: { Name: 'Sluice' },
    Video: { BaseCX: 640, BaseCY: 360, OutputCX: 640, OutputCY: 360, FPSCommon: 30 },
    Output: { Mode: 'Simple' },
    SimpleOutput: { VBitrate: 800, ABitrate: 96, StreamEncoder: 'x264', UseAdvanced: true, Preset: 'veryfast', x264Settings: 'keyint=60' },
  };
  const slash = url.lastIndexOf('/');
  const settings = { server: url.slice(0, slash), key: url.slice(slash + 1), use_auth: false, bwtest: false };
  writeFileSync(join(folder, 'global.ini'), ini(global));
  writeFileSync(join(profile, 'basic.ini'), ini(basic));
  writeFileSync(join(profile, 'service.json'), JSON.stringify({ type: 'rtmp_custom', settings }));
  writeFileSync(join(scenes, 'Sluice.json'), JSON.stringify(sceneCollection()));
}

function sceneCollection() {
  const source = (id, name, settings) => ({ id, versioned_id: id, name, settings });
  const item = { name: 'Colour', id: 1, visible: true, pos: { x: 0, y: 0 }, scale: { x: 1, y: 1 } };
  return {
    name: 'Sluice',
    current_scene: 'Scene',
    current_program_scene: 'Scene',
    scene_order: [{ name: 'Scene' }],
    sources: [
      source('color_source_v3', 'Colour', { color: 4278255360, width: 640, height: 360 }),
      source('scene', 'Scene', { id_counter: 1, items: [item] }),
    ],
  };
}

/** Starts a virtual screen that chooses its own number, and returns it with its name. */
async function startScreen() {
  const screen = start('Xvfb', ['-displayfd', '1', '-screen', '0', '1280x720x24', '-nolisten', 'tcp']);
  const number = new Promise((resolve, reject) => {
    createInterface({ input: screen.stdout }).once('line', resolve);
    screen.ended.then(() => reject(new Error(`Xvfb ended: ${screen.text}`)));
  });
  return { screen, display: `:${await within(SCREEN_MS_MAX, 'Xvfb', number)}` };
}

/** Starts OBS streaming to `url`; `finish` says goodbye and ends OBS and its screen. */
export async function startObs(url) {
  const port = await freePort();
  writeSettings(join(work, 'obs/obs-studio'), url, port);
  const { screen, display } = await startScreen();
  const home = join(work, 'obs');
  const options = ['--minimize-to-tray', '--multi', '--disable-updater', '--disable-shutdown-check', '--disable-missing-files-check'];
  const child = start('obs', ['--startstreaming', '--profile', 'Sluice', '--collection', 'Sluice', ...options], {
    DISPLAY: display,
    HOME: home,
    LIBGL_ALWAYS_SOFTWARE: '1',
    QT_QPA_PLATFORM: 'xcb',
    XDG_CONFIG_HOME: home,
    XDG_RUNTIME_DIR: work,
  });
  const finish = async () => {
    try {
      if (child.isRunning) await within(ANSWER_MS_MAX, 'OBS answering StopStream', request(port, 'StopStream'));
    } finally {
      // The answer comes before the goodbye is on its way.
      await within(ANSWER_MS_MAX, 'OBS', untilStopped(child)).catch(() => undefined);
      await stop(child, 'SIGTERM');
      await stop(screen, 'SIGTERM');
    }
  };
  return { child, finish };
}

function untilStopped(child) {
  return new Promise((resolve) => {
    const look = () => {
      if (!child.text.includes('==== Streaming Stop')) return;
      child.stdout.off('data', look);
      child.stderr.off('data', look);
      resolve();
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    look();
  });
}

/** One request of obs-websocket 5: Hello (op 0), Identify (1), Identified (2), Request (6), RequestResponse (7). */
async function request(port, requestType) {
  const { default: WebSocket } = await import('ws');
  const socket = new WebSocket(`ws://127.0.0.1:${port}`);
  const say = (op, d) => socket.send(JSON.stringify({ op, d }));
  try {
    await new Promise((resolve, reject) => {
      socket.on('error', reject);
      socket.on('close', (code) => reject(new Error(`OBS closed its WebSocket: ${code}`)));
      socket.on('message', (data) => {
        const { op, d } = JSON.parse(String(data));
        if (op === 0) say(1, { rpcVersion: 1, eventSubscriptions: 0 });
        else if (op === 2) say(6, { requestType, requestId: '1' });
        else if (op !== 7) return;
        else if (d.requestStatus.result) resolve();
        else reject(new Error(`OBS refused ${requestType}: ${d.requestStatus.comment ?? d.requestStatus.code}`));
      });
    });
  } finally {
    socket.terminate();
  }
}
