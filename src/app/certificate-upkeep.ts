import type pino from 'pino';
import type { Bus } from '../cluster/mod.ts';
import { isRenewalDue, type NodeIdentity, renewCertificate } from '../io/mod.ts';

export interface CertificateUpkeepOptions {
  readonly bus: Bus;
  /** Of the wall clock. */
  readonly now: () => number;
  /** Keeps the new identity, and shows its certificate from now on. */
  readonly renewed: (identity: NodeIdentity) => void;
  readonly log: pino.Logger;
}

const HOUR_MS = 3_600_000;

/** Renews the certificate of a node in time, by whatever manager is there; tried again each hour. */
export class CertificateUpkeep {
  private readonly options: CertificateUpkeepOptions;
  private readonly timer: NodeJS.Timeout;
  private identity: NodeIdentity;

  constructor(identity: NodeIdentity, options: CertificateUpkeepOptions) {
    this.identity = identity;
    this.options = options;
    this.timer = setInterval(() => void this.look(), HOUR_MS);
  }

  /** Asks for a new certificate if it is time. */
  async look(): Promise<void> {
    const { bus, now, renewed, log } = this.options;
    if (!isRenewalDue(this.identity, now())) return;
    try {
      this.identity = await renewCertificate(bus, this.identity);
      renewed(this.identity);
      log.info({ code: 'cluster.own-certificate-renewed' }, 'this node has a new certificate');
    } catch (error) {
      log.warn({ code: 'cluster.renewal-failed', detail: (error as Error).message }, 'the certificate could not be renewed yet');
    }
  }

  close(): void {
    clearInterval(this.timer);
  }
}
