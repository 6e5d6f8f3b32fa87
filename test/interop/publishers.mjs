// The publishers of `npm run interop`. `run` starts one and returns its process and `finish`, which ends it as its user would.
import { execFileSync } from 'node:child_process';
import { startObs } from './obs.mjs';
import { start, stop } from './processes.mjs';

const words = (text) => text.split(' ');

function version(command, args, pattern) {
  const text = execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000 });
  return pattern.exec(text)?.[1] ?? '?';
}

function run(command, args) {
  const child = start(command, args);
  return { child, finish: () => stop(child) };
}

const ffmpegVersion = () => version('ffmpeg', ['-version'], /version (\S+)/);
const TEST_SOURCE = words('-re -f lavfi -i testsrc2=size=640x360:rate=30 -re -f lavfi -i sine=frequency=440:sample_rate=48000');
const ENCODERS = words('-c:v libx264 -preset veryfast -pix_fmt yuv420p -g 60 -b:v 800k -c:a aac');
const ffmpeg = (url, ...more) =>
  run('ffmpeg', [...words('-nostdin -loglevel error'), ...TEST_SOURCE, ...ENCODERS, ...more, '-f', 'flv', url]);

const GSTREAMER_SOURCE = words(
  'videotestsrc is-live=true ! video/x-raw,format=I420,width=640,height=360,framerate=30/1 ! ' +
    'x264enc tune=zerolatency speed-preset=veryfast key-int-max=60 bitrate=800 ! h264parse ! mux. ' +
    'audiotestsrc is-live=true ! audio/x-raw,rate=48000 ! avenc_aac ! aacparse ! mux. flvmux name=mux streamable=true !',
);
// -e: an interrupt ends the stream as its source would, instead of dropping it.
const gstreamer = (...sink) => run('gst-launch-1.0', ['-e', ...GSTREAMER_SOURCE, ...sink]);
const gstreamerVersion = () => version('gst-launch-1.0', ['--version'], /GStreamer (\S+)/);

export const publishers = [
  { name: 'ffmpeg', title: 'FFmpeg (Debian), B-frames', version: ffmpegVersion, run: (url) => ffmpeg(url) },
  {
    name: 'ffmpeg-no-b',
    title: 'FFmpeg (Debian), no B-frames',
    version: ffmpegVersion,
    run: (url) => ffmpeg(url, '-tune', 'zerolatency'),
  },
  { name: 'gstreamer', title: 'GStreamer, rtmp2sink', version: gstreamerVersion, run: (url) => gstreamer('rtmp2sink', `location=${url}`) },
  {
    name: 'librtmp',
    title: 'librtmp, in GStreamer’s rtmpsink; played by rtmpdump too',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg-query's own format.
    version: () => version('dpkg-query', ['-W', '-f', '${Version}', 'librtmp1'], /^(\S+)/),
    run: (url) => gstreamer('rtmpsink', `location=${url} live=1`),
    playsWithRtmpdump: true,
  },
  { name: 'obs', title: 'OBS Studio', version: () => version('obs', ['--version'], /OBS Studio - (\S+)/), run: startObs },
];
