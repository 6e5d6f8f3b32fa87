/** What to type into an encoder to publish a first stream. */
export interface PublishInstructions {
  /** OBS: Settings, Stream, Service "Custom…", Server. */
  readonly server: string;
  /** OBS: Stream key. */
  readonly streamKey: string;
  /** A command that publishes a moving test picture with a tone. */
  readonly ffmpeg: string;
}

/** Instructions for a server reached under `hostname`. RTMP is taken to be on its own port, 1935. */
export function publishInstructions(hostname: string): PublishInstructions {
  const server = `rtmp://${hostname}/live`;
  const input = '-re -f lavfi -i testsrc2=size=1280x720:rate=30 -f lavfi -i sine=frequency=440';
  const video = '-c:v libx264 -preset veryfast -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 2500k';
  return { server, streamKey: 'show', ffmpeg: `ffmpeg ${input} ${video} -c:a aac -b:a 128k -f flv ${server}/show` };
}
