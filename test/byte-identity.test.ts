import { describe, expect, it } from 'vitest';
import { AUDIO, FrameSource, VIDEO } from '../src/gateways/hls-frames.fixture.ts';
import { HubToHls } from '../src/gateways/mod.ts';

/** One node's packager, with everything it ever gave out by name. */
class Node {
  readonly files = new Map<string, string>();
  readonly hls = new HubToHls(
    {
      added: (name, chunks) => {
        this.files.set(name, hex(chunks));
      },
      removed: () => undefined,
      advanced: () => undefined,
    },
    { segmentsMax: 5, bytesMax: 64 * 1024 * 1024 },
  );
}

const hex = (chunks: readonly Uint8Array[]): string => Buffer.concat(chunks).toString('hex');

/** 40 s of stream with a drop in it: a pause, another configuration, more frames. Undefined stands for the pause. */
function streamWithDrop(): (ReturnType<FrameSource['add']>[number] | undefined)[] {
  const source = new FrameSource();
  const before = source.add({ seconds: 21.3 });
  source.newSource();
  const after = source.add({ seconds: 19.7, tracks: [{ ...VIDEO, width: 640, height: 360 }, AUDIO], from: 100, gopSeconds: 1 });
  return [...before, undefined, ...after];
}

describe('two packagers of one stream', () => {
  it('make byte-identical playlists, init segments, segments and parts, though the second joined later', () => {
    const first = new Node();
    const second = new Node();
    const events = streamWithDrop();
    let compared = 0;
    events.forEach((event, index) => {
      for (const node of index < 400 ? [first] : [first, second]) {
        if (event === undefined) node.hls.paused();
        else node.hls.frame(event);
      }
      // The second joins in mid-segment at frame 400 (about 5 s in); its five-segment window is full after some 12 s more.
      if (index < 1500 || index % 20 !== 0) return;
      const [a, b] = [first.hls.playlists, second.hls.playlists];
      expect(b?.media).toEqual(a?.media);
      expect(b?.delta).toEqual(a?.delta);
      expect(b?.variant('source/media.m3u8')).toEqual(a?.variant('source/media.m3u8'));
      expect(b?.hintedName).toBe(a?.hintedName);
      compared++;
    });
    expect(compared).toBeGreaterThan(50);

    let equal = 0;
    for (const [name, bytes] of second.files) {
      expect(first.files.get(name), name).toBe(bytes);
      equal++;
    }
    expect(equal).toBeGreaterThan(60);
    expect([...second.files.keys()].filter((name) => name.startsWith('init-'))).toHaveLength(2);
    expect(first.files.size).toBeGreaterThan(second.files.size);
  });

  it('end alike', () => {
    const nodes = [new Node(), new Node()];
    for (const frame of new FrameSource().add({ seconds: 9.9 })) for (const node of nodes) node.hls.frame(frame);
    for (const node of nodes) node.hls.ended();
    expect(nodes[1]?.hls.playlists?.media).toEqual(nodes[0]?.hls.playlists?.media);
    expect(nodes[1]?.files).toEqual(nodes[0]?.files);
  });
});
