// Brings what the tests need and npm does not have: Chromium, nats-server and an RTSP server from the system's packages, where they are missing and
// this user may install.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Failure } from './prepare.mjs';

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

function apt(args) {
  return new Promise((resolve, reject) => {
    const child = spawn('apt-get', args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } });
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
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await prepareTests();
