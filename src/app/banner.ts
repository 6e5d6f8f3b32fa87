import { networkInterfaces } from 'node:os';
import type { Config } from './config/mod.ts';

export interface BannerFacts {
  readonly version: string;
  readonly config: Config;
  readonly httpPort: number;
  /** Undefined when RTMP is off. */
  readonly rtmpPort: number | undefined;
  /** Undefined when WebRTC is off. */
  readonly webrtcPort: number | undefined;
  /** Made on this start, and to be shown this once. */
  readonly newAdminKey: string | undefined;
  /** Stream keys made on this start, by app. */
  readonly newStreamKeys: Readonly<Record<string, string>>;
}

/** What a person who starts the server needs to know, as one block of text. */
export function banner(facts: BannerFacts): string {
  const { config, version, httpPort, rtmpPort, webrtcPort } = facts;
  const base = httpBase(config, httpPort);
  const app = Object.keys(config.apps)[0] ?? 'live';
  const lines: [string, string][] = [];
  if (config.demo.enabled && rtmpPort !== undefined) lines.push(['Watch the demo', `${base}/watch/live/demo`]);
  lines.push(['All streams', `${base}/`]);
  if (rtmpPort !== undefined) lines.push(...publishLines(config, rtmpPort, app));
  if (webrtcPort !== undefined) lines.push(['Publish (browser)', `${base}/publish/${app}/show`]);
  if (rtmpPort !== undefined || webrtcPort !== undefined) lines.push(['Then watch', `${base}/watch/${app}/show`]);
  lines.push(['API', `${base}/api/docs`]);
  for (const [name, key] of Object.entries(facts.newStreamKeys))
    lines.push([`New stream key`, `${key}  (app ${name}; again with: sluice keys show)`]);
  if (facts.newAdminKey !== undefined) lines.push([ADMIN_KEY_LABEL, shownOnce(facts.newAdminKey)]);
  const width = Math.max(...lines.map(([label]) => label.length));
  const body = lines.map(([label, value]) => `  ${label.padEnd(width)}   ${value}`).join('\n');
  return `\n  Sluice ${version}\n\n${body}\n\n  Ctrl-C stops it.\n`;
}

const ADMIN_KEY_LABEL = 'New admin API key';
const shownOnce = (key: string): string => `${key}  (shown this once: keep it)`;

/** The line of the {@link banner} for a key that was made later. */
export const adminKeyLine = (key: string): string => `  ${ADMIN_KEY_LABEL}   ${shownOnce(key)}`;

function publishLines(config: Config, port: number, app: string): [string, string][] {
  const host = shownHost(config.rtmp.host);
  const at = port === 1935 ? host : `${host}:${port}`;
  const fromHere = config.apps[app]?.publishFromLoopback === true;
  const lines: [string, string][] = [['Publish (OBS)', `server rtmp://${at}/${app}   stream key ${fromHere ? 'show' : 'show?key=KEY'}`]];
  const address = config.rtmp.host === '*' ? lanAddress() : undefined;
  if (fromHere && address !== undefined) {
    lines.push([
      '  from elsewhere',
      `server rtmp://${port === 1935 ? address : `${address}:${port}`}/${app}   stream key show?key=KEY  (KEY: sluice keys show)`,
    ]);
  }
  return lines;
}

function httpBase(config: Config, port: number): string {
  const isTls = config.http.tls.certFile !== '';
  const isStandard = port === (isTls ? 443 : 80);
  return `${isTls ? 'https' : 'http'}://${shownHost(config.http.host)}${isStandard ? '' : `:${port}`}`;
}

const ANY_HOSTS: ReadonlySet<string> = new Set(['*', '0.0.0.0', '::', '127.0.0.1', '::1']);
const shownHost = (host: string): string => (ANY_HOSTS.has(host) ? 'localhost' : host.includes(':') ? `[${host}]` : host);

/** An address under which other machines of the local network reach this one. */
function lanAddress(): string | undefined {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address;
}
