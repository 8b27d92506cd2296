// Which station may import which. Read by dependency-cruiser through check-layers.mjs.
// A station not named here may import nothing, so a new folder fails until it has its line.
const EVERY_STATION = [
  'core',
  'merkle',
  'wire',
  'outbound',
  'transport',
  'verify',
  'journal',
  'projections',
  'pull',
  'serve',
  'anchor',
  'witness',
  'onboard',
  'threads',
  'admin',
  'observe',
  'config',
  'publish',
  'siem',
  'worm',
  'snapshot',
  'drill',
  'oidc',
];

export const MAY_IMPORT = {
  core: [],
  merkle: ['core'],
  wire: ['core', 'merkle'],
  outbound: ['core'],
  transport: ['core', 'outbound', 'observe'],
  verify: ['core', 'merkle', 'wire'],
  observe: ['core'],
  config: ['core', 'merkle'],
  journal: ['core', 'merkle', 'wire', 'verify'],
  projections: ['core', 'merkle', 'journal'],
  pull: ['core', 'merkle', 'transport', 'wire', 'verify', 'journal', 'config', 'observe'],
  serve: ['core', 'merkle', 'transport', 'wire', 'journal', 'config', 'observe'],
  witness: ['core', 'merkle', 'outbound', 'transport', 'wire', 'verify', 'journal', 'pull', 'config', 'observe'],
  onboard: ['core', 'merkle', 'transport', 'wire', 'journal', 'pull', 'config', 'observe'],
  oidc: ['core', 'outbound', 'config'],
  admin: ['core', 'merkle', 'wire', 'verify', 'journal', 'projections', 'config', 'observe', 'oidc'],
  publish: ['core', 'merkle', 'outbound', 'journal', 'config'],
  worm: ['core', 'merkle', 'wire', 'journal', 'config', 'publish'],
  snapshot: ['core', 'merkle', 'wire', 'journal', 'config'],
  anchor: ['core', 'merkle', 'outbound', 'journal', 'config', 'observe'],
  drill: [
    'core',
    'merkle',
    'outbound',
    'transport',
    'wire',
    'verify',
    'journal',
    'pull',
    'anchor',
    'siem',
    'config',
    'observe',
  ],
  siem: ['core', 'merkle', 'outbound', 'wire', 'journal', 'observe'],
  client: ['core', 'merkle', 'wire', 'verify'],
  // The journal's threads: what runs beside the main loop, and the typed calls to it.
  threads: ['core', 'merkle', 'wire', 'verify', 'journal', 'projections', 'pull', 'serve', 'witness', 'observe'],
  // The parts of a running node, put together for app.ts.
  node: EVERY_STATION,
  // What the client verifies, the command line verifies with the same functions.
  cli: [...EVERY_STATION, 'node', 'client'],
};

/** Node's built-ins that the pure stations may use: hashing, compression and byte buffers are pure functions. */
const PURE_BUILTINS = '^(node:)?(crypto|zlib|buffer)$';

const stations = Object.entries(MAY_IMPORT).map(([station, allowed]) => ({
  name: `${station}-stays-in-its-layer`,
  severity: 'error',
  from: { path: `^src/${station}/` },
  to: {
    path: '^src/',
    // app.ts puts the stations together; only the command line starts it.
    pathNot: `^src/((${[station, ...allowed].join('|')})/${station === 'cli' ? '|app\\.ts$' : ''})`,
  },
}));

export const forbidden = [
  ...stations,
  {
    name: 'only-known-stations',
    severity: 'error',
    from: { path: '^src/[^/]+/', pathNot: `^src/(${Object.keys(MAY_IMPORT).join('|')})/` },
    to: {},
  },
  {
    name: 'pure-stations-have-no-effects',
    severity: 'error',
    from: { path: '^src/(core|merkle|wire|verify)/' },
    to: { dependencyTypes: ['core'], pathNot: PURE_BUILTINS },
  },
  {
    name: 'no-cycles',
    severity: 'error',
    from: { path: '^src/' },
    to: { path: '^src/', circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
];
