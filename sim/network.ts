/** Where nodes stand, and who reaches whom. */
export class Network {
  /** Grows with each change of who may reach whom. */
  changes = 0;
  private readonly regions: readonly string[];
  private readonly cutPairs = new Set<string>();
  private readonly cutRegions = new Set<string>();
  private readonly slow = new Map<string, number>();

  constructor(regions: readonly string[]) {
    this.regions = regions;
  }

  /** One way, between nodes. */
  latencyMs(from: Place, to: Place): number {
    const far =
      from.region === to.region ? 1 : 15 + 10 * (Math.abs(this.regions.indexOf(from.region) - this.regions.indexOf(to.region)) % 7);
    return far + (this.slow.get(from.id) ?? 0) + (this.slow.get(to.id) ?? 0);
  }

  reaches(from: Place, to: Place): boolean {
    if (this.cutPairs.size > 0 && this.cutPairs.has(pairOf(from.id, to.id))) return false;
    return this.cutRegions.size === 0 || from.region === to.region || !this.cutRegions.has(pairOf(from.region, to.region));
  }

  cutNodes(left: string, right: string): void {
    this.changes += 1;
    this.cutPairs.add(pairOf(left, right));
  }

  joinNodes(left: string, right: string): void {
    this.changes += 1;
    this.cutPairs.delete(pairOf(left, right));
  }

  cutRegion(left: string, right: string): void {
    this.changes += 1;
    this.cutRegions.add(pairOf(left, right));
  }

  joinRegion(left: string, right: string): void {
    this.changes += 1;
    this.cutRegions.delete(pairOf(left, right));
  }

  /** All that a node sends and gets takes so much longer; 0 is as it should be. */
  slowDown(node: string, extraMs: number): void {
    if (extraMs === 0) this.slow.delete(node);
    else this.slow.set(node, extraMs);
  }
}

export interface Place {
  readonly id: string;
  readonly region: string;
}

const pairOf = (left: string, right: string): string => (left < right ? `${left} ${right}` : `${right} ${left}`);
