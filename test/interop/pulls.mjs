// Viewers: each pulls a few seconds of a stream and counts what it decodes.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, start, stop, work } from './processes.mjs';

/** How much of a stream is pulled, in seconds. */
export const PULL_S = 4;
/** The fewest pictures, and audio frames, a second that pass. */
export const PER_SECOND_MIN = 20;

const PULL_MS_MAX = 30_000;
const RTMPDUMP_MS = 7000;

/**
 * Decodes `PULL_S` seconds with FFmpeg, judged by its exit code and by what was decoded: throws an Error when that is too little. FFmpeg also complains
 * about what is no fault, such as the start of a stream with B-frames, so its first complaint is only returned ('' for none).
 */
export async function pullWithFfmpeg(source) {
  const child = start('ffmpeg', ['-nostdin', '-loglevel', 'error', '-i', source, '-t', String(PULL_S), '-f', 'framecrc', '-']);
  const counts = [0, 0];
  createInterface({ input: child.stdout }).on('line', (line) => {
    const track = /^(\d+),/.exec(line)?.[1];
    if (track !== undefined) counts[Number(track)]++;
  });
  let complaints = '';
  child.stderr.on('data', (chunk) => {
    complaints += chunk;
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), PULL_MS_MAX);
  const code = await child.ended;
  clearTimeout(timer);
  await closed;
  const complaint = complaints.trim().split('\n')[0] ?? '';
  if (code !== 0) throw new Error(`FFmpeg ended with ${code}: ${complaint}`);
  const [pictures, samples] = counts;
  if (Math.min(pictures, samples) < PULL_S * PER_SECOND_MIN)
    throw new Error(`${pictures} pictures and ${samples} audio frames in ${PULL_S} s. ${complaint}`);
  return complaint;
}

/** Plays with rtmpdump into a file, which FFmpeg then decodes. */
export async function pullWithRtmpdump(url) {
  const file = join(work, 'rtmpdump.flv');
  const child = start('rtmpdump', ['--live', '--rtmp', url, '--flv', file]);
  await Promise.race([sleep(RTMPDUMP_MS), child.ended]);
  if (!child.isRunning) throw new Error(`rtmpdump ended early: ${lastLines(child)}`);
  await stop(child);
  return pullWithFfmpeg(file).finally(() => rmSync(file, { force: true }));
}

/** How many B-frames in a row the video of a stream may have, by FFmpeg's reading of its headers. */
export async function bFrames(url) {
  const child = start('ffprobe', ['-v', 'error', '-select_streams', 'v', '-show_entries', 'stream=has_b_frames', '-of', 'csv=p=0', url]);
  const closed = new Promise((resolve) => child.on('close', resolve));
  const timer = setTimeout(() => child.kill('SIGKILL'), PULL_MS_MAX);
  await child.ended;
  clearTimeout(timer);
  await closed;
  return /^(\d+)/m.exec(child.text)?.[1] ?? '?';
}
