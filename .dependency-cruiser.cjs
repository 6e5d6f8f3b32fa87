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
  hub: ['core', 'media'],
  transcode: ['core', 'media'],
  access: ['core'],
  gateways: ['core', 'media', 'containers', 'protocols/rtmp', 'protocols/hls', 'protocols/rtp', 'hub'],
  api: ['core', 'media', 'hub', 'access'],
};
const pure = Object.keys(rooms).filter((room) => room !== 'api');
const tests = '\\.(test|fixture)\\.ts$';

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
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
