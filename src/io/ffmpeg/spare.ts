/** What is kept ready: a process that has loaded FFmpeg, or is about to. */
interface Sparable {
  readonly isGone: boolean;
  close(): Promise<void>;
}

/**
 * Keeps one child ready ahead of need, so that a first viewer does not wait until a process has begun and loaded FFmpeg: a quarter of a second at best.
 * Whoever takes it has another one begin.
 */
export class Spare<Child extends Sparable> {
  private readonly load: () => Child;
  private readonly idleMsMax: number | undefined;
  private child: Child | undefined = undefined;
  private idle: NodeJS.Timeout | undefined = undefined;
  private isClosed = false;

  /** `idleMsMax`: how long one that nobody needs is kept; for ever without. */
  constructor(load: () => Child, idleMsMax?: number) {
    this.load = load;
    this.idleMsMax = idleMsMax;
  }

  /** What is ready, or will be soon. */
  get ready(): Child | undefined {
    return this.child?.isGone === false ? this.child : undefined;
  }

  /** Something may be wanted soon. */
  warm(): void {
    if (this.isClosed) return;
    clearTimeout(this.idle);
    if (this.idleMsMax !== undefined) this.idle = setTimeout(() => void this.drop(), this.idleMsMax).unref();
    this.child = this.ready ?? this.load();
  }

  /** The caller owns it. Another one begins, unless it is the only one that is wanted. */
  take(isOnlyOne = false): Child {
    const taken = this.ready ?? this.load();
    this.child = undefined;
    if (!isOnlyOne) this.warm();
    return taken;
  }

  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.idle);
    await this.drop();
  }

  private async drop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    await child?.close();
  }
}
