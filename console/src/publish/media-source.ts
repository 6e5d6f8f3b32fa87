import { INSECURE, type PublishProblem, sourceProblem } from './publish-problem.ts';
import { type PublishSettings, widthOf } from './publish-settings.ts';
import { openTestSource } from './test-source.ts';

/** A picture, and sound where it was asked for, until it is closed. */
export interface PublishSource {
  readonly stream: MediaStream;
  close(): void;
}

/** The source could not be had; `problem` says why. */
export class SourceRefused extends Error {
  override readonly name = 'SourceRefused';
  readonly problem: PublishProblem;

  constructor(problem: PublishProblem, cause?: unknown) {
    super(problem.title, { cause });
    this.problem = problem;
  }
}

/** Opens what the settings name; rejects with {@link SourceRefused} and nothing else. `label` is written into the test picture. */
export async function openSource(settings: PublishSettings, label: string): Promise<PublishSource> {
  try {
    if (settings.source === 'test') return openTestSource(settings.height, settings.framesPerSecond, settings.withSound, label);
    if (!navigator.mediaDevices) throw new SourceRefused(INSECURE);
    const stream = settings.source === 'camera' ? await openCamera(settings) : await openScreen(settings);
    // Detail matters more than movement on a screen, and the other way round in front of a camera.
    for (const track of stream.getVideoTracks()) track.contentHint = settings.source === 'screen' ? 'detail' : 'motion';
    const close = (): void => {
      for (const track of stream.getTracks()) track.stop();
    };
    return { stream, close };
  } catch (error) {
    if (error instanceof SourceRefused) throw error;
    const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
    throw new SourceRefused(sourceProblem(name, message), error);
  }
}

function openCamera({ cameraId, microphoneId, withSound, height, framesPerSecond }: PublishSettings): Promise<MediaStream> {
  return navigator.mediaDevices.getUserMedia({
    video: {
      height: { ideal: height },
      width: { ideal: widthOf(height) },
      frameRate: { ideal: framesPerSecond },
      ...(cameraId === '' ? {} : { deviceId: { exact: cameraId } }),
    },
    audio: withSound && { channelCount: { ideal: 2 }, ...(microphoneId === '' ? {} : { deviceId: { exact: microphoneId } }) },
  });
}

/** The screen with its own sound where the browser has that, and else with the microphone. */
async function openScreen({ microphoneId, withSound, height, framesPerSecond }: PublishSettings): Promise<MediaStream> {
  if (typeof navigator.mediaDevices.getDisplayMedia !== 'function')
    throw new SourceRefused(sourceProblem('', 'This browser cannot share a screen.'));
  const stream = await navigator.mediaDevices.getDisplayMedia({
    video: { height: { max: height }, width: { max: widthOf(height) }, frameRate: { ideal: framesPerSecond } },
    audio: withSound,
  });
  if (!withSound || stream.getAudioTracks().length > 0) return stream;
  const audio = microphoneId === '' ? true : { deviceId: { exact: microphoneId } };
  // A screen without sound is worth more than none.
  const microphone = await navigator.mediaDevices.getUserMedia({ audio }).catch(() => undefined);
  for (const track of microphone?.getAudioTracks() ?? []) stream.addTrack(track);
  return stream;
}
