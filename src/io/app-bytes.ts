/** Bytes that were sent, by app. */
export class AppBytes {
  private readonly byApp = new Map<string, number>();

  add(app: string, bytes: number): void {
    this.byApp.set(app, (this.byApp.get(app) ?? 0) + bytes);
  }

  /** Adds what was counted here to what `other` has counted. */
  addTo(other: AppBytes): void {
    for (const [app, bytes] of this.byApp) other.add(app, bytes);
  }

  of(app: string): number {
    return this.byApp.get(app) ?? 0;
  }

  apps(): Iterable<string> {
    return this.byApp.keys();
  }
}
