import { type Static, type TUnsafe, Type } from '@sinclair/typebox';
import type { Config } from './config.ts';
import { choice, flag, group, host, integer, port, text } from './schema-parts.ts';

const SECOND = 1000;

/** Where clients of a country or continent are taken to be. */
const geoRegion = Type.String({ pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$' });

const schema = group(
  'Many nodes as one server; see docs/cluster.md. A node that has joined a cluster (`sluice join`) is in it whatever stands here.',
  {
    found: flag(false, 'Whether this node founds a cluster, as its first manager, when it is in none.'),
    name: Type.String({
      default: 'sluice',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_-]{0,63}$',
      description: 'Name of the cluster that is founded: letters, digits, `_` and `-`.',
    }),
    nodeName: text(
      '',
      "What the node is called in the console and by `sluice nodes`, beside its id; empty: as its machine is (the host's name). Two nodes may have one name.",
    ),
    region: Type.String({
      default: 'default',
      pattern: '^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$',
      description: 'The region that a node stands in which founds a cluster or joins one.',
    }),
    roles: Type.Array(choice('mono', ['mono', 'manager', 'origin', 'edge', 'transcode'], 'One thing that a node does.'), {
      default: [],
      maxItems: 4,
      description:
        'What a node does that founds a cluster or joins one: `mono` is everything, else any of `manager`, `origin`, `edge` and `transcode`. The founding node is a manager. Empty: `mono` for the founding node, `edge` for one that joins.',
    }),
    advertise: text(
      '127.0.0.1',
      'Name or address under which other nodes and clients reach a node that founds a cluster or joins one. Where it is left as it is, one that joins takes the address that it reaches the manager from.',
    ),
    join: group('Joining a cluster on the first start, as `sluice join` does; see docs/membership.md.', {
      url: text(
        '',
        'Address of a manager, `https://HOST:PORT`. Empty: the node joins none. A node that has joined does not look at these keys.',
      ),
      token: Type.String({ default: '', maxLength: 256, secret: true, description: 'The join token, `clt_…`.' }),
      tokenFile: text('', 'File with the join token instead. Relative paths start at the configuration file.'),
      caFile: text(
        '',
        "File with the certificate (PEM) of whoever vouches for the manager's; the token names the cluster's own authority.",
      ),
      insecure: flag(false, 'Whether plain http to another machine is allowed: token and credentials can be read on the way.'),
    }),
    coordination: choice(
      'nats-server',
      ['nats-server', 'nats', 'embedded'],
      'What the founding node keeps the state of the cluster in. `nats-server`: a NATS server from the PATH, which it runs. `nats`: the servers in `cluster.nats`. `embedded`: a file in its data folder, for a cluster whose nodes are all on this machine.',
    ),
    nats: group('One or several NATS servers with JetStream.', {
      servers: Type.Array(Type.String({ minLength: 8, maxLength: 256 }), {
        default: [],
        maxItems: 16,
        description: 'Their URLs: `nats://HOST:PORT`, or `tls://HOST:PORT`.',
      }),
      user: text('', 'Name of the user.'),
      password: Type.String({ default: '', secret: true, description: 'Password of the user.' }),
      caFile: text('', 'File with the certificate (PEM) of whoever issued theirs. Relative paths start at the configuration file.'),
      port: port(4222, 'TCP port of the NATS server that this node runs; a free one that was taken once stays.'),
    }),
    relay: group('Streams between nodes.', {
      host,
      port: port(7350, 'TCP port for other nodes. Never open it to the public.'),
      childrenMax: integer(
        16,
        1,
        4096,
        'To how many other nodes of its region this one gives a stream. More of them get it from these, as a tree.',
      ),
    }),
    staleMs: integer(
      6 * SECOND,
      3 * SECOND,
      60 * SECOND,
      'How long nothing may be heard of a node before it is stale. That of the founding node counts in the whole cluster.',
    ),
    lingerMs: integer(10 * SECOND, 0, 3600 * SECOND, 'How long a stream of another node is pulled on after its last viewer here left.'),
    drainMs: integer(
      20 * SECOND,
      0,
      24 * 3600 * SECOND,
      'How long a node of a cluster that gets SIGTERM leads publishers and viewers to other nodes, at most, before it ends; 0: it ends at once. See docs/draining.md.',
    ),
    networks: Type.Record(Type.String(), Type.Array(Type.String({ minLength: 2, maxLength: 64 }), { maxItems: 4096 }), {
      default: {},
      description:
        'The networks of the clients that are near a region, by its name: `eu: [10.1.0.0/16]`. Others are taken to be near the node that they ask.',
    }),
    regionHeader: text(
      '',
      "A header in which a proxy in front says a client's region. It is believed, so the proxy has to overwrite what clients send.",
    ),
    geoIp: group('A file that knows where addresses are, for clients of whom header and networks say nothing; see docs/cluster.md.', {
      file: text(
        '',
        "A database in MaxMind's format (`.mmdb`) with countries, such as GeoLite2 Country. It is read at the start. Relative paths start at the configuration file.",
      ),
      countries: Type.Record(Type.String({ pattern: '^[A-Z]{2}$' }), geoRegion, {
        default: {},
        description:
          'The region that clients of a country are near, by its ISO 3166-1 code: `DE: eu`. Counts before that of the continent.',
      }),
      continents: Type.Record(Type.String({ pattern: '^[A-Z]{2}$' }), geoRegion, {
        default: {},
        description: 'The same by continent, `AF`, `AN`, `AS`, `EU`, `NA`, `OC` or `SA`: `NA: us`.',
      }),
    }),
  },
);

/** The group `cluster` of the configuration. */
export const clusterSchema: TUnsafe<Config['cluster']> = schema as unknown as TUnsafe<Config['cluster']>;

// The group is written out for its readers; this line does not compile when it and the schema differ.
type Same<Left, Right> = [Left] extends [Right] ? ([Right] extends [Left] ? true : never) : never;
const clusterIsSchema: Same<Static<typeof schema>, Config['cluster']> = true;
void clusterIsSchema;
