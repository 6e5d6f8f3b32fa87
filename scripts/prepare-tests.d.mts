/** Whether a program is on the PATH. */
export function onPath(name: string): boolean;
/** Installs Debian packages and says so. */
export function aptInstall(packages: readonly string[], why: string): Promise<void>;
/** Called by `npm test` before the tests. */
export function prepareTests(): Promise<void>;
/** Where promtool is when it is not on the PATH. */
export const promtoolFile: string;
