import type { Logger } from 'pino';
import type { VideoCodec } from '../../media/mod.ts';
import { startTranscodeChild } from './child-process.ts';
import { type EncoderKind, KNOWN_ENCODERS } from './encoder-names.ts';
import type { ProbedEncoder } from './messages.ts';

/** A driver that hangs must not keep the answer back for ever. */
const PROBE_MS_MAX = 30_000;

/** What an encoder of this machine is good for. */
export interface EncoderReport {
  readonly name: string;
  readonly codec: VideoCodec;
  readonly kind: EncoderKind;
  readonly available: boolean;
  /** Why it is not available, in FFmpeg's and the driver's words. */
  readonly reason?: string;
}

let cached: Promise<readonly EncoderReport[]> | undefined;
const available = new Set<string>();

/** Tries all known video encoders in a child process of their own, once for this process. Never rejects. Until it is settled, rungs take software encoders. */
export function probeEncoders(log: Logger): Promise<readonly EncoderReport[]> {
  cached ??= runProbe(log);
  return cached;
}

/** Whether an encoder was found to work; false while that is not known yet. */
export const isKnownAvailable = (name: string): boolean => available.has(name);

async function runProbe(log: Logger): Promise<readonly EncoderReport[]> {
  const probed = await probeOnebyOne();
  const reports = KNOWN_ENCODERS.map((encoder): EncoderReport => {
    const result = probed.get(encoder.name);
    if (result !== undefined && result.reason === undefined) return { ...encoder, available: true };
    return { ...encoder, available: false, reason: result?.reason ?? 'it was not tried' };
  });
  for (const { name, available: isAvailable } of reports) if (isAvailable) available.add(name);
  log.debug({ available: [...available] }, 'encoders probed');
  return reports;
}

/** A driver may crash the child: then the encoder that was being tried is the culprit, and the rest go on in another child. */
async function probeOnebyOne(): Promise<ReadonlyMap<string, ProbedEncoder>> {
  const results = new Map<string, ProbedEncoder>();
  for (let rest = KNOWN_ENCODERS; rest.length > 0; rest = KNOWN_ENCODERS.filter(({ name }) => !results.has(name))) {
    const reason = await probeInChild(rest, (probed) => results.set(probed.name, probed));
    const culprit = rest.find(({ name }) => !results.has(name));
    if (culprit !== undefined) results.set(culprit.name, { name: culprit.name, reason });
  }
  return results;
}

/** Settles with the reason why it ended. */
function probeInChild(encoders: typeof KNOWN_ENCODERS, take: (probed: ProbedEncoder) => void): Promise<string> {
  return new Promise((resolve) => {
    let reason = '';
    const child = startTranscodeChild({
      control: (message) => {
        if (message.kind === 'failed') {
          for (const { name } of encoders) take({ name, reason: message.message });
          child.kill();
        }
        if (message.kind !== 'probed') return;
        take(message.encoder);
        if (message.encoder.name === encoders.at(-1)?.name) void child.close({ kind: 'stop' });
      },
      frame: () => undefined,
      exited: (exitReason) => {
        clearTimeout(timer);
        resolve(reason || `trying it ended the process: ${exitReason}`);
      },
    });
    const timer = setTimeout(() => {
      reason = `trying it took longer than ${PROBE_MS_MAX / 1000} s`;
      child.kill();
    }, PROBE_MS_MAX);
    child.send({ kind: 'probe', encoders: encoders.map(({ name, codec }) => ({ name, codec })) });
  });
}
