import type pino from 'pino';

export interface SettingsUpkeepOptions {
  /** A version that is not done, as far as this node knows. */
  readonly unfinished: () => number | undefined;
  readonly settle: () => Promise<number>;
  readonly lookMs?: number;
  readonly log: pino.Logger;
}

/** Authors finish what they begin within milliseconds: one that two looks find unfinished has died. */
const LOOK_MS = 2_000;

/** Finishes changes of the settings whose author died. */
export class SettingsUpkeep {
  private readonly options: SettingsUpkeepOptions;
  private readonly ticker: NodeJS.Timeout;
  private seen: number | undefined;
  private isBusy = false;

  constructor(options: SettingsUpkeepOptions) {
    this.options = options;
    this.ticker = setInterval(() => this.look(), options.lookMs ?? LOOK_MS);
  }

  close(): void {
    clearInterval(this.ticker);
  }

  private look(): void {
    const { unfinished, settle, log } = this.options;
    const version = unfinished();
    const isOld = version !== undefined && version === this.seen;
    this.seen = version;
    if (!isOld || this.isBusy) return;
    this.isBusy = true;
    settle()
      .then(
        (done) => log.warn({ code: 'settings.finished', version: done }, 'a change of the settings was left unfinished, and is made now'),
        (error: unknown) =>
          log.warn({ code: 'settings.unfinished', version, err: error }, 'a change of the settings cannot be finished yet'),
      )
      .finally(() => {
        this.isBusy = false;
      });
  }
}
