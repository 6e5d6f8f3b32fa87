/** One node of the cluster that `sluice dev` runs. A port of 0 is any free one. */
export interface DevNodePlan {
  readonly name: string;
  readonly region: string;
  readonly roles: readonly string[];
  readonly httpPort: number;
  readonly rtmpPort: number;
  readonly webrtcPort: number;
  readonly relayPort: number;
  /** Publishes the demo stream to itself. */
  readonly hasDemo: boolean;
}

/** Where the ports of the nodes begin: each node takes the next ones. 0: all nodes take free ones. */
export interface DevPorts {
  readonly http: number;
  readonly rtmp: number;
  readonly webrtc: number;
  readonly relay: number;
}

const NODES: ReadonlyArray<readonly [name: string, region: string, role: string]> = [
  ['eu-manager', 'eu', 'manager'],
  ['eu-origin', 'eu', 'origin'],
  ['eu-transcode', 'eu', 'transcode'],
  ['eu-edge', 'eu', 'edge'],
  ['us-manager', 'us', 'manager'],
  ['us-origin', 'us', 'origin'],
  ['us-edge-1', 'us', 'edge'],
  ['us-edge-2', 'us', 'edge'],
];

const portAt = (first: number, index: number): number => (first === 0 ? 0 : first + index);

/** Two regions, each with a manager, an origin and edges, and a transcode node in the first. The first node founds the cluster. */
export const devPlan = (ports: DevPorts, hasDemo: boolean): readonly DevNodePlan[] =>
  NODES.map(([name, region, role], index) => ({
    name,
    region,
    roles: [role],
    httpPort: portAt(ports.http, index),
    rtmpPort: portAt(ports.rtmp, index),
    webrtcPort: portAt(ports.webrtc, index),
    relayPort: portAt(ports.relay, index),
    hasDemo: hasDemo && name === 'eu-origin',
  }));

/** The configuration of a node as environment variables; `isFirst`: it founds the cluster. */
export function devEnvironment(node: DevNodePlan, dataFolder: string, isFirst: boolean): Record<string, string> {
  return {
    SLUICE_DATA_FOLDER: dataFolder,
    SLUICE_LOG_FORMAT: 'json',
    SLUICE_HTTP_HOST: '127.0.0.1',
    SLUICE_HTTP_PORT: String(node.httpPort),
    SLUICE_RTMP_HOST: '127.0.0.1',
    SLUICE_RTMP_PORT: String(node.rtmpPort),
    SLUICE_WEBRTC_HOST: '127.0.0.1',
    SLUICE_WEBRTC_PORT: String(node.webrtcPort),
    SLUICE_CLUSTER_RELAY_HOST: '127.0.0.1',
    SLUICE_CLUSTER_RELAY_PORT: String(node.relayPort),
    SLUICE_DEMO_ENABLED: String(node.hasDemo),
    SLUICE_CLUSTER_NODE_NAME: node.name,
    ...(isFirst
      ? {
          SLUICE_CLUSTER_FOUND: 'true',
          SLUICE_CLUSTER_NAME: 'dev',
          SLUICE_CLUSTER_COORDINATION: 'embedded',
          SLUICE_CLUSTER_REGION: node.region,
          SLUICE_CLUSTER_ROLES: node.roles.join(','),
        }
      : {}),
  };
}

/** What to run for a node: the founding one starts, the others join it. */
export const devArguments = (node: DevNodePlan, managerUrl: string, isFirst: boolean): readonly string[] =>
  isFirst
    ? ['start']
    : ['join', managerUrl, '--region', node.region, '--advertise', '127.0.0.1', ...node.roles.flatMap((role) => ['--role', role])];
