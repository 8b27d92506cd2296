/** Each check with facts that it passes on, and with facts that it does not: a check that cannot fail says nothing. */
import assert from 'node:assert/strict';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { CHECKS, examine } from '../../../src/cli/doctor/checks.ts';
import type { Facts, NodeFacts } from '../../../src/cli/doctor/facts.ts';
import type { Result } from '../../../src/cli/doctor/judgement.ts';
import { loadConfigFile } from '../../../src/config/config.ts';
import type { PeerFile } from '../../../src/config/peer-file.ts';
import { STATS } from '../../support/api-fixture.ts';
import { createCliFixture } from '../../support/cli-fixture.ts';

const NOW = Date.parse('2026-11-30T00:00:00Z');
const DAY = 86_400_000;

const loaded = loadConfigFile('/data', 'config.example.toml', {}, { 'api.allowed_hosts': 'peerd.acme.example' });
assert.ok(loaded.ok);
const CONFIG = loaded.value;
const PROBLEM = { where: 'config.toml:3', key: 'api.port', message: 'wrong', fix: 'Mend it.' };

const PEER_FILE = { name: 'globex', share: [], accept: [], allowTeam: false, disabled: false } as unknown as PeerFile;
const PEER = {
  name: 'globex',
  state: 'current',
  waiting_on: null,
  circuit: 'closed',
  key_changes: [],
  refused_of_ours: [],
  clock_skew_ms: 20,
} as unknown as NodeFacts['peers'][number];

const NODE: NodeFacts = {
  wellKnown: { peerd: { version: '1.0.0' } } as NodeFacts['wellKnown'],
  readiness: { status: 'ready', checks: [{ name: 'guard', ok: true, detail: '' }], notices: [] },
  keys: [],
  apiKeys: [],
  peers: [PEER],
  anchors: [],
  witness: { size: 1, cosignatures: [], policy: { met: true, met_size: 1, satisfied: [], missing: [] }, logs: [] },
  stats: { ...STATS, metrics_scraped_at: new Date(NOW - 30_000).toISOString() },
  weakenings: [],
  quarantined: 0,
  proposals: 0,
  recall: { kind: 'verified', sentence: '1 proved' },
  signIn: {
    issuer: 'https://idp.acme.example',
    client_id: 'peerd',
    redirect_uri: 'https://peerd.acme.example/console/sign-in/oidc/callback',
    rules: 2,
    fault: null,
    keys: 2,
    algorithms: ['RS256'],
    clock_skew_ms: 400,
    ends_sessions: true,
    other_issuer_keys: [],
  },
  sinks: [{ name: 'archive', lag_seconds: 0, sentence: 'has everything' }],
  checks: { last_clean_at: null, checks: [] },
  backups: {
    worm: { lag_seconds: 10, weakness: null, last_error: null, sentence: 'has everything' },
    snapshots: { directory: '/snaps', every_hours: 24, verified_age_seconds: 3_600 },
  },
  cases: [{ state: 'resolved', severity: 'critical', is_drill: false, count: 3 }],
  drills: {
    kinds: ['cid-mismatch', 'chain-proof', 'anchor-down'].map((kind) => ({
      kind,
      last_state: 'passed',
      last_passed_at: new Date(NOW - DAY).toISOString(),
    })),
  },
};

const WELL: Facts = {
  dir: '/data',
  nowMs: NOW,
  program: { version: '1.0.0', node: '24.1.0', needsNode: '22.22.2' },
  configProblems: [],
  config: { ...CONFIG, anchor: { ...CONFIG.anchor, backends: ['local', 'rekor'] } },
  peerProblems: [],
  peerFiles: [PEER_FILE],
  secretProblems: [],
  folderMode: 0o700,
  createdMs: NOW - 10 * DAY,
  disk: { freeBytes: 100e9, usedBytes: 1e9 },
  certificate: { notAfterMs: NOW + 60 * DAY },
  process: { pid: 7, uid: 990, hasNoNewPrivileges: true, hasSeccomp: true, capabilities: '0000', openFiles: 65_536 },
  node: NODE,
  nodeFault: null,
};

const node = (change: Partial<NodeFacts>): Partial<Facts> => ({ node: { ...NODE, ...change } });
const peer = (change: object): Partial<Facts> => node({ peers: [{ ...PEER, ...change }] });
const config = (change: object): Partial<Facts> => ({ config: { ...CONFIG, ...change } });
const processOf = (change: object): Partial<Facts> => ({ process: WELL.process && { ...WELL.process, ...change } });
const key = (peerName: string | null, step: number): NodeFacts['keys'][number] =>
  ({ peer: peerName, use: 'log', state: 'valid', warning: { step, sentence: 'it ends' } }) as NodeFacts['keys'][number];
const witness = (change: object): Partial<Facts> => node({ witness: NODE.witness && { ...NODE.witness, ...change } });
const worm = (change: object): Partial<Facts> =>
  node({ backups: { ...NODE.backups, worm: NODE.backups.worm && { ...NODE.backups.worm, ...change } } });
const signIn = (change: object): Partial<Facts> => node({ signIn: NODE.signIn && { ...NODE.signIn, ...change } });
/** No witness policy, and a WORM store as good as this: null: none. */
const outsideOf = (weakness: string | null): Partial<Facts> => {
  const { backups } = NODE;
  const shipped = backups.worm && { ...backups.worm, weakness };
  return node({
    witness: NODE.witness && { ...NODE.witness, policy: null },
    backups: { ...backups, worm: weakness === null ? null : shipped },
  });
};
const snapshots = (age: number | null): Partial<Facts> =>
  node({
    backups: { ...NODE.backups, snapshots: { directory: '/snaps', every_hours: 24, verified_age_seconds: age } },
  });
const unseen = (severity: string): NodeFacts['cases'] => [
  { state: 'new', severity, is_drill: false, count: 2 },
  { state: 'new', severity: 'critical', is_drill: true, count: 9 },
];
const drilled = (kind: string, last_state: string, daysAgo: number): Partial<Facts> =>
  node({ drills: { kinds: [{ kind, last_state, last_passed_at: new Date(NOW - daysAgo * DAY).toISOString() }] } });
const checked = (endedMs: number, problems: number): NodeFacts['checks'] => {
  const ended_at = new Date(endedMs).toISOString();
  const clean = problems === 0;
  const first_problems = clean ? [] : ['entries 7 value_v cid_mismatch'];
  return { last_clean_at: clean ? ended_at : null, checks: [{ clean, ended_at, problems, first_problems }] };
};
const late = { backend: 'rekor', pending: 1, watermark: 0, last_error: 'down', sentence: 'waits' };

/** What is wrong, by check: the worst that it says first. */
const ILL: Readonly<Record<string, readonly (readonly [Partial<Facts>, Result, RegExp])[]>> = {
  'config.valid': [[{ configProblems: [PROBLEM] }, 'fail', /config\.toml:3: wrong/]],
  'config.peer_files': [[{ peerProblems: [PROBLEM, PROBLEM] }, 'fail', /and 1 more/]],
  'files.secrets': [[{ secretProblems: [PROBLEM] }, 'fail', /wrong/]],
  'files.folder': [
    [{ folderMode: 0o777 }, 'fail', /0777: others may put files/],
    [{ folderMode: 0o755 }, 'warn', /others may look/],
  ],
  'disk.space': [
    [{ disk: { freeBytes: 1e6, usedBytes: 1e6 } }, 'fail', /less than 256 MiB/],
    [{ disk: { freeBytes: 1e9, usedBytes: 9e9 } }, 'fail', /enough for 1 day$/],
    [{ disk: { freeBytes: 1e9, usedBytes: 1e9 } }, 'warn', /enough for 10 days/],
  ],
  'process.open_files': [[processOf({ openFiles: 256 }), 'warn', /may hold 256 files open, and may need/]],
  'process.hardening': [
    [processOf({ uid: 0, capabilities: '1ff' }), 'fail', /user 0/],
    [processOf({ capabilities: '0000000000000400' }), 'fail', /capabilities 0000000000000400/],
    [processOf({ hasSeccomp: false }), 'warn', /no system call is filtered/],
  ],
  'program.versions': [
    [{ program: { ...WELL.program, node: '22.9.0' } }, 'fail', /Node\.js 22\.9\.0/],
    [{ program: { ...WELL.program, version: '1.1.0' } }, 'fail', /the daemon is 1\.0\.0, this command 1\.1\.0/],
  ],
  'clock.peers': [
    [peer({ clock_skew_ms: -200_000 }), 'fail', /differ from ours by -200\.0 s/],
    [peer({ clock_skew_ms: 9_000 }), 'warn', /9\.0 s/],
    [
      node({ peers: [PEER, PEER, { ...PEER, name: 'initech', clock_skew_ms: 8_000 }] }),
      'warn',
      /off are initech by 8\.0 s/,
    ],
  ],
  'api.listener': [
    [config({ api: { ...CONFIG.api, behindProxy: true, names: [] } }), 'warn', /names it is asked under/],
  ],
  'api.certificate': [
    [{ certificate: { notAfterMs: NOW - DAY } }, 'fail', /it ended/],
    [{ certificate: { notAfterMs: NOW + 3 * DAY } }, 'fail', /in 3 days/],
    [{ certificate: { notAfterMs: NOW + 20 * DAY } }, 'warn', /in 20 days/],
    [{ certificate: { fault: 'the key is of another certificate' } }, 'fail', /another certificate/],
  ],
  'alerts.scraped': [
    [node({ stats: STATS }), 'warn', /nobody has asked/],
    [
      node({ stats: { ...STATS, metrics_scraped_at: new Date(NOW - 3_600_000).toISOString() } }),
      'warn',
      /60 minutes ago/,
    ],
  ],
  'node.answers': [
    [{ node: null, nodeFault: 'locked', process: null }, 'fail', /locked/],
    [{ process: null }, 'warn', /not running/],
  ],
  'node.ready': [
    [
      node({ readiness: { status: 'not_ready', checks: [{ name: 'disk', ok: false, detail: 'full' }], notices: [] } }),
      'fail',
      /disk: full/,
    ],
    [node({ readiness: { ...NODE.readiness, notices: ['certificate: it ends'] } }), 'warn', /it ends/],
  ],
  'keys.own': [
    [node({ keys: [key(null, 1)] }), 'fail', /it ends/],
    [node({ keys: [key(null, 14)] }), 'warn', /it ends/],
  ],
  'keys.peers': [[node({ keys: [key('globex', 0)] }), 'warn', /it ends/]],
  'keys.api': [
    [
      node({ apiKeys: [{ name: 'cli', state: 'active', expires_at: new Date(NOW + DAY).toISOString() } as never] }),
      'warn',
      /cli ends at/,
    ],
  ],
  'anchors.outside': [
    [{ ...config({ anchor: { ...CONFIG.anchor, backends: [] } }), ...witness({ policy: null }) }, 'fail', /to no log/],
    [{ ...config({}), ...outsideOf(null) }, 'warn', /a local file alone/],
    [{ ...config({}), ...outsideOf('it is a folder') }, 'warn', /a local file alone/],
  ],
  'anchors.pending': [
    [
      node({ anchors: [{ ...late, oldest_pending_at: new Date(NOW - 3_600_000).toISOString() }] }),
      'fail',
      /rekor waits/,
    ],
  ],
  'witness.policy': [
    [witness({ policy: { met: false, met_size: null, missing: ['w1'] } }), 'fail', /no cosignature of w1/],
  ],
  'logs.joined': [[witness({ logs: [{ origin: 'globex/journal', unreconciled: 2 }] }), 'warn', /globex\/journal: 2/]],
  'restore.outside': [
    [
      { ...config({ guard: { signedHeadsFile: '/data/signed-heads.json' } }), peerFiles: [] },
      'warn',
      /restored together/,
    ],
  ],
  'recall.verified': [
    [node({ recall: { kind: 'failed', message: 'fact 1 is not proved', fix: null } }), 'fail', /not proved/],
  ],
  'peers.state': [
    [peer({ state: 'suspended', waiting_on: 'an operator' }), 'fail', /globex: an operator/],
    [peer({ circuit: 'open', circuit_reason: 'refused' }), 'warn', /globex: refused/],
  ],
  'peers.refuse_ours': [[peer({ refused_of_ours: [{ refused: 5, resolved: 2 }] }), 'warn', /globex refuses 3/]],
  'grants.ending': [
    [
      { peerFiles: [{ ...PEER_FILE, share: [{ feed: 'public', notBeforeMs: null, notAfterMs: NOW + DAY }] }] },
      'warn',
      /globex: share public ends at/,
    ],
  ],
  'config.weakened': [
    [
      node({ weakenings: [{ code: 'team_shared', where: 'globex', sentence: 'may read team' }] }),
      'warn',
      /globex: may read team/,
    ],
  ],
  'sign_in.provider': [
    [signIn({ fault: 'connect ECONNREFUSED' }), 'fail', /idp\.acme\.example: connect ECONNREFUSED/],
    [signIn({ clock_skew_ms: -90_000 }), 'fail', /differs from ours by -90 s/],
    [signIn({ clock_skew_ms: 20_000 }), 'warn', /differs from ours by 20 s/],
  ],
  'sign_in.keys': [[signIn({ other_issuer_keys: ['ann-cli'] }), 'warn', /another issuer’s in 1 key: ann-cli/]],
  'sign_in.rules': [[signIn({ rules: 0 }), 'warn', /nobody is let in/]],
  'sinks.lag': [
    [node({ sinks: [] }), 'warn', /sent to nobody/],
    [node({ sinks: [{ name: 'siem', lag_seconds: 900, sentence: 'waits' }] }), 'fail', /siem waits/],
  ],
  'worm.shipped': [
    [node({ backups: { ...NODE.backups, worm: null } }), 'warn', /nothing is shipped/],
    [worm({ last_error: 'the store keeps it for a day' }), 'fail', /for a day/],
    [worm({ lag_seconds: 90_000, sentence: '5 records wait' }), 'fail', /5 records wait/],
    [worm({ weakness: 'root can take the flag away' }), 'warn', /root can/],
  ],
  'backups.verified': [
    [node({ backups: { ...NODE.backups, snapshots: null } }), 'warn', /by themselves/],
    [snapshots(null), 'fail', /none in \/snaps/],
    [snapshots(50 * 3_600), 'fail', /50 hours old/],
  ],
  'drills.cid_mismatch': [
    [node({ drills: { kinds: [] } }), 'warn', /cid-mismatch was never made/],
    [drilled('cid-mismatch', 'failed', 1), 'fail', /cid-mismatch has failed/],
    [drilled('cid-mismatch', 'passed', 40), 'warn', /passed 40 days ago/],
  ],
  'drills.chain_proof': [[drilled('chain-proof', 'passed', 30), 'warn', /passed 30 days ago/]],
  'drills.anchor_down': [[drilled('anchor-down', 'failed', 0), 'fail', /the alarm does not work/]],
  'drills.failed': [[drilled('rollback', 'failed', 1), 'fail', /^rollback:/]],
  'journal.checked': [
    [node({ checks: checked(NOW - 9 * DAY, 2) }), 'fail', /2 problems, entries 7 value_v cid_mismatch first/],
    [node({ checks: checked(NOW - 20 * DAY, 0) }), 'warn', /^last full check 20 days ago$/],
    [{ createdMs: NOW - 40 * DAY }, 'warn', /^never; the journal is 40 days old$/],
    [{ ...node({ checks: checked(NOW - 40 * DAY, 0) }), ...config({ fsck: { everyMs: null } }) }, 'warn', /40 days/],
  ],
  'cases.unseen': [
    [node({ cases: unseen('medium') }), 'warn', /2 cases that nobody/],
    [node({ cases: unseen('critical') }), 'fail', /2 critical cases/],
    [
      node({
        cases: [
          { state: 'suppressed', severity: 'critical', is_drill: false, count: 1 },
          { state: 'suppressed', severity: 'high', is_drill: false, count: 2 },
          { state: 'suppressed', severity: 'info', is_drill: false, count: 4 },
        ],
      }),
      'warn',
      /^3 cases of high or critical severity that somebody has suppressed/,
    ],
  ],
  'desk.waiting': [[node({ quarantined: 2, proposals: 1 }), 'warn', /quarantine \(2\), 1 proposal open/]],
};

test('a recall that got no answer leads to the node, one that does not verify to fsck', () => {
  const fixOf = (fix: string | null): string | null | undefined => {
    const recall = { kind: 'failed', message: 'no', fix } as const;
    return examine({ ...WELL, ...node({ recall }) }).find(({ id }) => id === 'recall.verified')?.fix;
  };
  assert.equal(fixOf(null), 'stigmem-peerd fsck --data /data');
  assert.equal(fixOf('stigmem-peerd status --data DIR'), 'stigmem-peerd status --data /data');
});

test('a node that is well passes every check', () => {
  const others = examine(WELL).filter(({ result }) => result !== 'pass');
  assert.deepEqual(others, []);
});

test('no check is without a case in which it does not pass, and ids are told apart', () => {
  const ids = CHECKS.map(({ id }) => id);
  assert.deepEqual(Object.keys(ILL).sort(), [...ids].sort());
  assert.equal(new Set(ids).size, ids.length);
});

for (const [id, cases] of Object.entries(ILL)) {
  test(`${id} says what is wrong, and the fix`, () => {
    for (const [change, result, seen] of cases) {
      const found = examine({ ...WELL, ...change }).find((one) => one.id === id);
      assert.equal(found?.result, result, JSON.stringify(found));
      assert.match(found.seen, seen);
      assert.ok(found.fix !== null && found.fix.length > 5, 'a fix');
    }
  });
}

test('a node that could not be asked: what depends on it is skipped, never passed', () => {
  const findings = examine({ ...WELL, node: null, nodeFault: 'locked', process: null });
  const passed = findings.filter(({ result }) => result === 'pass').map(({ id }) => id);
  assert.ok(
    !passed.some((id) => /^(node|keys|peers|recall|witness|logs|clock|process|alerts|desk)\./.test(id)),
    passed.join(),
  );
});

test('doctor: exit 1 and JSON of a documented shape when a check fails, the fix for people', async (t) => {
  const cli = await createCliFixture();
  t.after(() => cli.close());
  chmodSync(cli.dir, 0o700);
  chmodSync(join(cli.dir, 'keys', 'log.key'), 0o644);
  const machine = await cli.run('doctor --json');
  assert.equal(machine.code, 1, machine.stderr);
  const { v, ok, node_id, running, checks } = machine.json();
  assert.deepEqual([v, ok, node_id, running], [1, false, 'stigmem://acme.example', false]);
  assert.deepEqual(Object.keys(checks[0]), ['id', 'title', 'result', 'seen', 'fix']);
  const people = await cli.run('doctor');
  assert.match(people.stdout, /^fail {5}keys are there, .* files\.secrets\n.*log\.key.*0644.*\n.*→ Run: chmod 600/m);
  assert.match(people.stdout, /\d+ pass, \d+ warn, \d+ fail, \d+ skipped\n$/);
});

test('doctor of no node is exit 5 with what to do', async (t) => {
  const cli = await createCliFixture();
  t.after(() => cli.close());
  const { code, stderr } = await cli.runBare(['doctor', '--data', join(cli.dir, 'none')]);
  assert.equal(code, 5);
  assert.match(stderr, /Make a node with: stigmem-peerd init/);
});

test('anchors on storage that nobody can rewrite count as outside', () => {
  const facts = { ...WELL, ...config({}), ...witness({ policy: null }) };
  const found = examine(facts).find(({ id }) => id === 'anchors.outside');
  assert.deepEqual(
    [found?.result, found?.seen],
    ['pass', 'anchors are shipped to the WORM store, which has kept its promise so far'],
  );
});

test('a fix can be typed as it stands: the folder is named, and quoted where a shell needs it', () => {
  const fixOf = (dir: string): string | null | undefined =>
    examine({ ...WELL, dir, ...node({ quarantined: 1 }) }).find(({ id }) => id === 'desk.waiting')?.fix;
  assert.equal(fixOf('/srv/acme'), 'stigmem-peerd quarantine list --data /srv/acme');
  assert.equal(fixOf("/srv/it's mine"), "stigmem-peerd quarantine list --data '/srv/it'\\''s mine'");
});
