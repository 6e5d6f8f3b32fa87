import type { LookupFunction } from 'node:net';
import type pino from 'pino';
import { UrlPolicy, type UrlPolicyOptions } from '../../access/mod.ts';
import type { StreamRef } from '../../core/mod.ts';
import type { Hub } from '../../hub/mod.ts';
import type { Clock } from '../clock.ts';
import { Spare } from '../ffmpeg/mod.ts';
import type { StreamSupplier } from '../stream-door.ts';
import { HttpGate } from './http-gate.ts';
import { judgedLookup, type Resolve } from './judged-lookup.ts';
import { PullSource, type SourceReport, type SourceSettings } from './pull-source.ts';
import { SourceChild } from './source-child.ts';

export interface PullSourcesOptions extends UrlPolicyOptions {
  readonly hub: Hub;
  readonly clock: Clock;
  readonly log: pino.Logger;
  readonly sources: readonly SourceSettings[];
  /** Whether somebody waits for this stream. */
  readonly isAwaited: (path: string) => boolean;
  /** The system's resolver otherwise. */
  readonly resolve?: Resolve;
}

const TICK_MS = 250;

/** All configured sources of this node. */
export class PullSources implements StreamSupplier {
  private readonly byPath: ReadonlyMap<string, PullSource>;
  private readonly gate: HttpGate;
  /** Only where a viewer may wait for one. */
  private readonly spare: Spare<SourceChild> | undefined;
  private ticker: NodeJS.Timeout | undefined = undefined;

  /** Throws `access.bad-network`. */
  constructor({ sources, allowedNetworks, allowedFolders, resolve, ...rest }: PullSourcesOptions) {
    const policy = new UrlPolicy({ allowedNetworks, allowedFolders });
    const lookup: LookupFunction = judgedLookup(policy, resolve);
    this.gate = new HttpGate(policy, lookup);
    const isAnyOnDemand = sources.some(({ mode }) => mode === 'on-demand');
    this.spare = isAnyOnDemand ? new Spare(() => new SourceChild()) : undefined;
    const children = { take: () => this.spare?.take() ?? new SourceChild() };
    const needs = { ...rest, children, policy, gate: this.gate, lookup, resolve };
    this.byPath = new Map(sources.map((settings) => [settings.ref.path, new PullSource(settings, needs)]));
  }

  /** Opens those that are always wanted, and keeps watch over all from here on. */
  start(): void {
    const tick = (): void => {
      for (const source of this.byPath.values()) source.tick();
    };
    this.ticker = setInterval(tick, TICK_MS);
    this.spare?.warm();
    tick();
  }

  supply(ref: StreamRef): boolean {
    const source = this.byPath.get(ref.path);
    if (source === undefined || this.ticker === undefined) return false;
    source.ask();
    return true;
  }

  /** In the order of the configuration. */
  report(): readonly SourceReport[] {
    return Array.from(this.byPath.values(), (source) => source.report());
  }

  /** Ends all; settles when their processes are gone. */
  async close(): Promise<void> {
    clearInterval(this.ticker);
    this.ticker = undefined;
    await Promise.all([...Array.from(this.byPath.values(), (source) => source.close()), this.spare?.close()]);
    this.gate.close();
  }
}
