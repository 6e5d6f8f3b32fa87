// The rooms and what each may import: the table of docs/architecture.md. The compiler's project references
// say the same; this also checks doors (mod.ts), cycles, and that pure rooms take nothing from Node or npm.
const rooms = {
  core: [],
  media: ['core'],
  containers: ['core', 'media'],
  'protocols/rtmp': ['core', 'media', 'containers'],
  'protocols/hls': ['core', 'media', 'containers'],
  'protocols/rtp': ['core', 'media'],
  'protocols/ice': ['core'],
  'protocols/sdp': ['core'],
  'protocols/whip': ['core'],
  'protocols/webrtc': ['core', 'media', 'protocols/rtp', 'protocols/ice', 'protocols/sdp'],
  'protocols/relay': ['core', 'media'],
  hub: ['core', 'media'],
  cluster: ['core', 'media'],
  transcode: ['core', 'media'],
  allocation: ['core', 'cluster', 'transcode'],
  sources: ['core'],
  targets: ['core', 'media'],
  access: ['core'],
  settings: ['core'],
  recording: ['core', 'media'],
  gateways: ['core', 'media', 'containers', 'protocols/rtmp', 'protocols/hls', 'protocols/rtp', 'protocols/relay', 'hub'],
  client: [],
  api: ['core', 'media', 'hub', 'access', 'recording', 'cluster'],
};
const pure = Object.keys(rooms).filter((room) => room !== 'api');
const tests = '\\.(test|fixture)\\.ts$';

module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: "the parts of a simulated world know each other's types",
      severity: 'error',
      from: { pathNot: '^sim/' },
      to: { circular: true },
    },
    ...Object.entries(rooms).map(([room, allowed]) => ({
      name: `room-${room.replace('/', '-')}`,
      severity: 'error',
      from: { path: `^src/${room}/`, pathNot: tests },
      to: { path: '^src/', pathNot: [room, ...allowed].map((name) => `^src/${name}/`) },
    })),
    {
      name: 'io-below-app',
      severity: 'error',
      from: { path: '^src/io/', pathNot: tests },
      to: { path: '^src/app/' },
    },
    {
      name: 'sim-is-pure',
      comment: 'the simulator runs the pure rooms alone; only its command line touches the machine',
      severity: 'error',
      from: { path: '^sim/', pathNot: ['^sim/main\\.ts$', tests] },
      to: { path: '^(src|test|bench)/', pathNot: ['^src/(core|media|cluster|transcode|allocation)/mod\\.ts$'] },
    },
    {
      name: 'sim-has-no-world',
      severity: 'error',
      from: { path: '^sim/', pathNot: ['^sim/main\\.ts$', tests] },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'] },
    },
    {
      name: 'rooms-have-one-door',
      comment: "outsiders import only a room's mod.ts",
      severity: 'error',
      from: { path: '^src/(protocols/[^/]+|[^/]+)/', pathNot: tests },
      to: { path: '^src/(protocols/[^/]+|[^/]+)/', pathNot: ['^src/$1/', '/mod\\.ts$'] },
    },
    {
      name: 'pure-rooms-have-no-world',
      severity: 'error',
      from: { path: pure.map((room) => `^src/${room}/`), pathNot: tests },
      to: { dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
  },
};
