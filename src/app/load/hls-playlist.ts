export interface HlsPart {
  readonly uri: string;
  readonly sequence: number;
  readonly part: number;
  /** Wall-clock time of its first frame by EXT-X-PROGRAM-DATE-TIME. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly isIndependent: boolean;
}

export interface HlsPlaylist {
  readonly initUri: string | undefined;
  readonly partHoldBackMs: number;
  readonly canBlock: boolean;
  /** Ascending. For playlists without parts, whole segments as part 0. */
  readonly parts: readonly HlsPart[];
  /** What to ask for next with _HLS_msn and _HLS_part. */
  readonly nextSequence: number;
  readonly nextPart: number;
  readonly isEnded: boolean;
}

const attribute = (line: string, name: string): string | undefined =>
  new RegExp(`[:,]${name}=("([^"]*)"|[^,]*)`).exec(line)?.slice(1).reverse().find(Boolean);

/** The first variant's URI of a multivariant playlist; undefined for a media playlist. */
export function firstVariant(text: string): string | undefined {
  const lines = text.split(/\r?\n/);
  const at = lines.findIndex((line) => line.startsWith('#EXT-X-STREAM-INF'));
  return at < 0 ? undefined : lines.slice(at + 1).find((line) => line !== '' && !line.startsWith('#'));
}

/** Reads what a low-latency player needs of a media playlist. */
export function parsePlaylist(text: string): HlsPlaylist {
  const parser = new PlaylistParser();
  for (const line of text.split(/\r?\n/)) parser.line(line);
  return parser.finish();
}

class PlaylistParser {
  private readonly parts: HlsPart[] = [];
  private readonly segments: HlsPart[] = [];
  private initUri: string | undefined;
  private partHoldBackMs = 0;
  private canBlock = false;
  private targetMs = 0;
  private sequence = 0;
  private part = 0;
  private segmentStartMs = 0;
  private clockMs = 0;
  private durationMs = 0;
  private isEnded = false;

  line(line: string): void {
    if (line.startsWith('#EXT-X-PART:')) this.addPart(line);
    else if (line.startsWith('#EXTINF:')) this.durationMs = Number.parseFloat(line.slice(8)) * 1000;
    else if (line.startsWith('#EXT-X-PROGRAM-DATE-TIME:')) this.clockMs = this.segmentStartMs = Date.parse(line.slice(25));
    else if (line.startsWith('#EXT-X-MAP:')) this.initUri = attribute(line, 'URI');
    else if (line.startsWith('#EXT-X-MEDIA-SEQUENCE:')) this.sequence = Number(line.slice(22));
    else if (line.startsWith('#EXT-X-SKIP:')) this.sequence += Number(attribute(line, 'SKIPPED-SEGMENTS') ?? 0);
    else if (line.startsWith('#EXT-X-TARGETDURATION:')) this.targetMs = Number(line.slice(22)) * 1000;
    else if (line.startsWith('#EXT-X-SERVER-CONTROL:')) this.control(line);
    else if (line === '#EXT-X-ENDLIST') this.isEnded = true;
    else if (line !== '' && !line.startsWith('#')) this.endSegment(line);
  }

  private control(line: string): void {
    this.canBlock = attribute(line, 'CAN-BLOCK-RELOAD') === 'YES';
    this.partHoldBackMs = Number(attribute(line, 'PART-HOLD-BACK') ?? 0) * 1000;
  }

  private addPart(line: string): void {
    const durationMs = Number(attribute(line, 'DURATION') ?? 0) * 1000;
    this.parts.push({
      uri: attribute(line, 'URI') ?? '',
      sequence: this.sequence,
      part: this.part++,
      startMs: this.clockMs,
      durationMs,
      isIndependent: attribute(line, 'INDEPENDENT') === 'YES',
    });
    this.clockMs += durationMs;
  }

  private endSegment(uri: string): void {
    const { sequence, durationMs } = this;
    this.segments.push({ uri, sequence, part: 0, startMs: this.segmentStartMs, durationMs, isIndependent: true });
    this.segmentStartMs += durationMs;
    this.clockMs = this.segmentStartMs;
    this.sequence++;
    this.part = 0;
  }

  finish(): HlsPlaylist {
    const hasParts = this.parts.length > 0;
    return {
      initUri: this.initUri,
      partHoldBackMs: hasParts ? this.partHoldBackMs : this.targetMs * 3,
      canBlock: this.canBlock,
      parts: hasParts ? this.parts : this.segments,
      nextSequence: this.sequence,
      nextPart: this.part,
      isEnded: this.isEnded,
    };
  }
}
