// Brings what the tests need and npm does not have: Chromium, nats-server, an RTSP server and promtool from the system's packages, where they are missing and
// this user may install.
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure, root } from './prepare.mjs';

const CHROMIUM_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Whether a program is on the PATH. */
export const onPath = (name) => (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));

/** Installs Debian packages and says so; throws a Failure when that cannot be. */
export async function aptInstall(packages, why) {
  if (!onPath('apt-get') || process.getuid?.() !== 0) {
    throw new Failure(`${why} Install it, e.g. as root on Debian or Ubuntu: apt-get install ${packages.join(' ')}`);
  }
  console.log(`Installing ${packages.join(', ')} (a minute or two) …`);
  const began = Date.now();
  await apt(['update', '-qq']).catch(() => undefined);
  await apt(['install', '-y', '-qq', '--no-install-recommends', ...packages]);
  console.log(`Installing ${packages.join(', ')}: done in ${Math.round((Date.now() - began) / 1000)} s`);
}

function apt(args, folder = root) {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const child = spawn('apt-get', args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], env });
    const text = [];
    child.stdout.on('data', (chunk) => text.push(chunk));
    child.stderr.on('data', (chunk) => text.push(chunk));
    child.on('error', (error) => reject(new Failure(`apt-get cannot be run: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Failure(`${Buffer.concat(text).toString().slice(-2000)}\napt-get ${args.join(' ')} failed.`));
    });
  });
}

/** Where promtool is when it is not on the PATH. */
export const promtoolFile = join(root, 'node_modules', '.cache', 'promtool');

/**
 * Takes promtool out of Debian's package `prometheus` without installing it: neither its service nor its web pages are wanted. Where that cannot be, the
 * tests that need it are skipped.
 */
async function preparePromtool() {
  if (onPath('promtool') || existsSync(promtoolFile)) return;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-promtool-'));
  try {
    if (process.getuid?.() === 0) await apt(['update', '-qq']).catch(() => undefined);
    await apt(['download', '-qq', 'prometheus'], folder);
    const [file = ''] = readdirSync(folder);
    if (spawnSync('dpkg-deb', ['-x', join(folder, file), folder]).status !== 0) throw new Failure(`${file} cannot be unpacked.`);
    mkdirSync(dirname(promtoolFile), { recursive: true });
    copyFileSync(join(folder, 'usr', 'bin', 'promtool'), promtoolFile);
    chmodSync(promtoolFile, 0o755);
  } catch (error) {
    console.log(`No promtool, so its checks of metrics and alerts are skipped (install prometheus to have them): ${error.message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Called by `npm test` before the tests. */
export async function prepareTests() {
  if (!CHROMIUM_NAMES.some(onPath)) await aptInstall(['chromium'], 'The tests play the watch page in Chromium, which is not on the PATH.');
  // Debian puts it where not everybody's PATH looks.
  if (!onPath('nats-server') && !existsSync('/usr/sbin/nats-server')) {
    await aptInstall(['nats-server'], 'The tests run clusters on nats-server, which is not on the PATH.');
  }
  if (!onPath('openssl')) await aptInstall(['openssl'], 'The tests verify certificates with openssl, which is not on the PATH.');
  if (!onPath('rtsp-server-perl')) {
    await aptInstall(['rtsp-server-perl'], 'The tests pull from rtsp-server-perl, an RTSP camera, which is not on the PATH.');
  }
  await preparePromtool();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await prepareTests();
