import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { join } from 'node:path';

/** The limits of the control group (version 2) that this process is in, e.g. a container's; undefined where there is no limit. */
export class CpuGroup {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  /** CPU time used so far, and how many cores' worth the group may use. */
  cpu(): { readonly usedMs: number; readonly cores: number } | undefined {
    const [quota, period] = this.read('cpu.max').trim().split(' ').map(Number);
    const used = /^usage_usec (\d+)$/m.exec(this.read('cpu.stat'))?.[1];
    // `max` is no number: there is no limit.
    if (quota === undefined || period === undefined || !(quota > 0) || !(period > 0) || used === undefined) return undefined;
    return { usedMs: Number(used) / 1000, cores: quota / period };
  }

  /** Memory in use that could not be given back, and the limit. */
  memory(): { readonly usedBytes: number; readonly maxBytes: number } | undefined {
    const maxBytes = Number(this.read('memory.max').trim() || Number.NaN);
    const current = Number(this.read('memory.current').trim() || Number.NaN);
    if (!(maxBytes > 0 && maxBytes < totalmem()) || !(current >= 0)) return undefined;
    const cached = Number(/^inactive_file (\d+)$/m.exec(this.read('memory.stat'))?.[1] ?? 0);
    return { usedBytes: Math.max(0, current - cached), maxBytes };
  }

  private read(file: string): string {
    try {
      return readFileSync(join(this.folder, file), 'utf8');
    } catch {
      return '';
    }
  }
}
