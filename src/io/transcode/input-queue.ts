/** Work that waits for nothing, as sound's, lets pipe and timers have their turn after so long: else a backlog of it would look like a process that hangs. */
const TURN_MS_MAX = 20;

/** Takes what is pushed in one after the other; the bytes that wait are counted, so that whoever pushes can stop in time. */
export class InputQueue<Item> {
  private readonly take: (item: Item) => Promise<void>;
  private readonly failed: (error: unknown) => void;
  private readonly waiting: { readonly item: Item; readonly bytes: number }[] = [];
  private work: Promise<void> | undefined = undefined;
  private waitingBytes = 0;

  /** `failed`: `take` threw; what waits goes on. */
  constructor(take: (item: Item) => Promise<void>, failed: (error: unknown) => void) {
    this.take = take;
    this.failed = failed;
  }

  get sizeBytes(): number {
    return this.waitingBytes;
  }

  push(item: Item, bytes: number): void {
    this.waiting.push({ item, bytes });
    this.waitingBytes += bytes;
    this.work ??= this.run();
  }

  /** Forgets what waits, and settles when what is under way is done. */
  async clear(): Promise<void> {
    this.waiting.length = 0;
    this.waitingBytes = 0;
    await this.work;
  }

  private async run(): Promise<void> {
    let turnMs = performance.now();
    for (let next = this.waiting.shift(); next !== undefined; next = this.waiting.shift()) {
      this.waitingBytes -= next.bytes;
      try {
        await this.take(next.item);
      } catch (error) {
        this.failed(error);
      }
      if (performance.now() - turnMs < TURN_MS_MAX) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turnMs = performance.now();
    }
    this.work = undefined;
  }
}
