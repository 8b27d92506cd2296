import assert from 'node:assert/strict';
import { generateKeyPairSync, hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { grantsInForce, readGrantText } from '../../../src/config/grant.ts';
import { checkPeerFile, type PeerFile, readPeerFile } from '../../../src/config/peer-file.ts';
import { formatPeerFile } from '../../../src/config/peer-text.ts';
import { problemText } from '../../../src/config/problem.ts';
import { parseTomlText } from '../../../src/config/toml-file.ts';
import type { FeedGrant as Grant } from '../../../src/core/disclosure.ts';

const PEER_ID = '12D3KooWNoN9sn86jWjb9F2u6czwcaJuLR2nZSzLekFnhtpxV5Ue';
const OTHER_ID = '12D3KooWDZ2VFAaWAcDVyENYa6bHbUdnEmx1Fhw57cTP8dQEL5us';
const HEAD = `node_id = "stigmem://globex.example"\npeer_id = "${PEER_ID}"\n`;

function read(text: string, path = 'globex.toml') {
  const parsed = parseTomlText(path, text);
  assert.ok(parsed.ok);
  return checkPeerFile(path, parsed.value);
}

function peer(text: string): PeerFile {
  const checked = read(text);
  assert.ok(checked.ok, checked.ok ? '' : checked.error.map(problemText).join('\n'));
  return checked.value;
}

function problems(text: string, path = 'globex.toml'): string[] {
  const checked = read(text, path);
  assert.ok(!checked.ok, 'was accepted');
  return checked.error.map(problemText);
}

test('nothing is granted by default', () => {
  const { share, accept, namespaces, addresses, disabled, logKey } = peer(HEAD);
  assert.deepEqual([share, accept, namespaces, addresses], [[], [], [], []]);
  assert.equal(disabled, false);
  assert.equal(logKey, null);
});

test('the example file is a peer file', () => {
  const example = peer(readFileSync('peers/globex.example.toml', 'utf8'));
  assert.equal(example.authority, 'globex.example');
  assert.deepEqual(grantsInForce(example.share, Date.parse('2026-12-31T23:59:59.999Z')), ['public']);
  assert.deepEqual(grantsInForce(example.share, Date.parse('2027-01-01T00:00:00Z')), ['public', 'company/incident-42']);
  assert.deepEqual(grantsInForce(example.share, Date.parse('2027-07-01T00:00:00Z')), ['public']);
});

test('the README of peers/ names every key of a peer file', () => {
  const readme = readFileSync('peers/README.md', 'utf8');
  const [said = ''] = problems(`${HEAD}x-y-z = 1\n`);
  assert.match(said, /peers\/README\.md lists all keys/);
  for (const key of [
    'node_id',
    'peer_id',
    'addresses',
    'namespaces',
    'share',
    'accept',
    'log_key',
    'disabled',
    'allow_team',
    '[limits]',
    'max_value_bytes',
    'page_entries',
  ]) {
    assert.ok(readme.includes(`\`${key}\``), key);
  }
});

const CASES: readonly [name: string, text: string, says: string][] = [
  [
    'an unknown key with a near one',
    `${HEAD}namespace = ["globex.example"]\n`,
    'globex.toml:3: unknown key "namespace". Did you mean "namespaces"?',
  ],
  [
    'no node id',
    `peer_id = "${PEER_ID}"\n`,
    'globex.toml: node_id: expected the partner’s node id such as "stigmem://globex.example", got nothing. Add it.',
  ],
  [
    'a peer id that is none',
    `node_id = "stigmem://globex.example"\npeer_id = "12D3KooW"\n`,
    'globex.toml:2: peer_id: expected the partner’s peer id, "12D3Koo…", got "12D3KooW" (it is not a peer id: copy it from the partner’s `peer show self`). Correct the value.',
  ],
  [
    'a peer id of another kind of key',
    `node_id = "stigmem://globex.example"\npeer_id = "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N"\n`,
    'globex.toml:2: peer_id: expected the partner’s peer id, "12D3Koo…", got "QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N" (it is the id of another kind of key; ids of Ed25519 keys start with 12D3Koo). Correct the value.',
  ],
  [
    'an address of another peer',
    `${HEAD}addresses = ["/ip4/192.0.2.1/tcp/1/p2p/${OTHER_ID}"]\n`,
    `globex.toml:3: addresses: /ip4/192.0.2.1/tcp/1/p2p/${OTHER_ID} ends in another peer id than peer_id, ${PEER_ID}. Ask the partner which is right (\`peer show self\`), and leave /p2p/… out of addresses.`,
  ],
  [
    'a namespace written as a node id',
    `${HEAD}namespaces = ["stigmem://globex.example"]\n`,
    'globex.toml:3: namespaces: expected a list of authorities such as ["globex.example"], got "stigmem://globex.example" (write the name alone, without stigmem://). Correct the value.',
  ],
  [
    'accept without namespaces',
    `${HEAD}accept = ["public"]\n`,
    'globex.toml:3: accept names feeds, but namespaces is empty: every fact would be refused as source_not_owned. Add namespaces = ["globex.example"], or empty accept.',
  ],
  [
    'relaying',
    `${HEAD}relay = true\n`,
    'globex.toml:3: relay: expected false, got true (this version does not relay facts of third nodes). Set it to false or leave it out.',
  ],
];
for (const [name, text, says] of CASES) test(`refuses ${name}`, () => assert.deepEqual(problems(text), [says]));

const BAD_GRANTS: readonly [grant: string, reason: string][] = [
  ['"local"', 'local facts never leave their node'],
  ['"local/garden"', 'local facts never leave their node'],
  ['"publc"', 'a feed is public, company or team, or one of these with a garden: company/incident-42'],
  ['"company/a/b"', 'a feed is public, company or team, or one of these with a garden: company/incident-42'],
  ['"from/acme.example/public"', 'this version does not relay facts of third nodes'],
  ['1', 'it is neither a text nor a table'],
  ['["public"]', 'it is neither a text nor a table'],
  ['{ fed = "public" }', 'unknown key "fed"'],
  ['{ not_before = 2027-01-01T00:00:00Z }', 'feed is missing'],
  ['{ feed = "public", not_after = 2027-01-01 }', 'not_after is a time with its offset, such as 2027-01-01T00:00:00Z'],
  [
    '{ feed = "public", not_after = 2027-01-01T00:00:00 }',
    'not_after is a time with its offset, such as 2027-01-01T00:00:00Z',
  ],
  ['{ feed = "public", not_before = "soon" }', 'not_before is a time with its offset, such as 2027-01-01T00:00:00Z'],
  [
    '{ feed = "public", not_before = 2027-01-01T00:00:00Z, not_after = 2027-01-01T01:00:00+01:00 }',
    'not_after is not later than not_before, so it would never be in force',
  ],
];
for (const [grant, reason] of BAD_GRANTS) {
  test(`refuses the grant ${grant}`, () => {
    const [said = '', ...rest] = problems(`${HEAD}share = ["public", ${grant}]\n`);
    assert.deepEqual(rest, []);
    assert.match(said, /^globex\.toml:3: share: expected a list of grants, each a feed such as "public", or \{/);
    assert.ok(said.endsWith(`(${reason}). Correct the value.`), said);
  });
}

for (const name of ['self.toml', 'Globex.toml', 'a b.toml', '-x.toml', `${'x'.repeat(64)}.toml`]) {
  test(`refuses a file called ${name.slice(0, 20)}`, () =>
    assert.match(problems(HEAD, name).join(), /the file’s name cannot be a peer’s name/));
}

test('team facts are granted by name alone, local ones never', () => {
  const [said = ''] = problems(`${HEAD}share = ["public", "team/ops"]\n`);
  assert.match(said, /globex\.toml:3: share: team\/ops is for this organisation alone.*allow_team = true/s);
  assert.equal(peer(`${HEAD}share = ["team"]\nallow_team = true\n`).allowTeam, true);
  assert.match(problems(`${HEAD}share = ["local"]\nallow_team = true\n`).join(), /local facts never leave their node/);
  assert.match(problems(`${HEAD}share = ["local/x"]\n`).join(), /local facts never leave their node/);
});

test('a grant holds from not_before until just before not_after, each feed once', () => {
  const grant = (feed: string, notBeforeMs: number | null, notAfterMs: number | null): Grant => ({
    feed,
    notBeforeMs,
    notAfterMs,
  });
  const grants = [
    grant('public', 10, 20),
    grant('team', null, 20),
    grant('company', 10, null),
    grant('public', 15, 30),
  ];
  assert.deepEqual(grantsInForce(grants, 9), ['team']);
  assert.deepEqual(grantsInForce(grants, 10), ['public', 'team', 'company']);
  assert.deepEqual(grantsInForce(grants, 19), ['public', 'team', 'company']);
  assert.deepEqual(grantsInForce(grants, 20), ['company', 'public']);
  assert.deepEqual(grantsInForce(grants, 30), ['company']);
  assert.deepEqual(grantsInForce([], 10), []);
});

test('a grant on the command line may have a time', () => {
  assert.deepEqual(readGrantText('public'), {
    ok: true,
    value: { feed: 'public', notBeforeMs: null, notAfterMs: null },
  });
  assert.deepEqual(readGrantText('company/x,not_after=2027-01-01T00:00:00Z'), {
    ok: true,
    value: { feed: 'company/x', notBeforeMs: null, notAfterMs: Date.parse('2027-01-01T00:00:00Z') },
  });
  assert.deepEqual(readGrantText('public,until=2027'), { ok: false, error: 'unknown key "until"' });
});

test('what is written reads back the same', () => {
  const feed = fc.constantFrom('public', 'team', 'company', 'company/incident-42');
  const grant = fc
    .tuple(feed, fc.option(fc.integer({ min: 0, max: 4e12 })), fc.option(fc.integer({ min: 4e12 + 1, max: 8e12 })))
    .map(([name, notBeforeMs, notAfterMs]): Grant => ({ feed: name, notBeforeMs, notAfterMs }));
  const plain = { noNullPrototype: true };
  const made = fc.record(
    {
      name: fc.constant('globex'),
      nodeId: fc.constant('stigmem://globex.example'),
      authority: fc.constant('globex.example'),
      peerId: fc.constant(PEER_ID),
      addresses: fc.subarray([
        '/ip4/192.0.2.1/tcp/4101',
        '/ip6/::1/tcp/1',
        `/dns4/globex.example/tcp/4101/p2p/${PEER_ID}`,
      ]),
      namespaces: fc.subarray(['globex.example', 'globex.test:8080'], { minLength: 1 }),
      share: fc.array(grant, { maxLength: 4 }),
      accept: fc.array(grant, { maxLength: 4 }),
      logKey: fc.option(fc.constant('globex.example/journal/5be1f0a2c3d4e5f6+8a1b2c3d+AXk=')),
      disabled: fc.boolean(),
      allowTeam: fc.constant(true),
      addressesFrom: fc.constantFrom('operator' as const, 'peer' as const),
      limits: fc.record(
        {
          maxValueBytes: fc.option(fc.integer({ min: 1, max: 65_536 })),
          pageEntries: fc.option(fc.integer({ min: 1, max: 4_096 })),
        },
        plain,
      ),
      policy: fc.record(
        {
          witnesses: fc.constantFrom(null, 'quorum none', '# of nobody\nquorum\tnone\n'),
          anchors: fc.constantFrom(
            null,
            { backends: ['local'] as const, trustRootFile: null, trustRoot: null, maxAgeS: null },
            { backends: ['local', 'rekor'] as const, trustRootFile: 'rekor "a".json', trustRoot: null, maxAgeS: null },
          ),
        },
        plain,
      ),
    },
    plain,
  );
  fc.assert(fc.property(made, (written) => assert.deepEqual(peer(formatPeerFile(written)), written)));
});

/** A log of a trusted root, named by its key as Rekor v1 is, or by its name and key as v2 is. */
function trustedLog(version: 1 | 2): object {
  const { publicKey } =
    version === 1 ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const der = publicKey.export({ format: 'der', type: 'spki' });
  const named = version === 1 ? der : Buffer.concat([Buffer.from('log.example\n\x01'), der.subarray(-32)]);
  return {
    baseUrl: 'https://log.example',
    publicKey: {
      rawBytes: der.toString('base64'),
      keyDetails: version === 1 ? 'PKIX_ECDSA_P256_SHA_256' : 'PKIX_ED25519',
    },
    logId: { keyId: hash('sha256', named, 'base64') },
  };
}

test('an age that no log could show is refused at load', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-policy-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'globex.toml');
  const root = join(folder, 'root.json');
  const load = (logs: readonly object[], policy: string) => {
    writeFileSync(root, JSON.stringify({ tlogs: logs }));
    writeFileSync(file, `${HEAD}[policy]\nanchors = ["rekor"]\nanchor_trust_root = "root.json"\n${policy}`);
    return readPeerFile(file);
  };
  const refused = load([trustedLog(2)], 'anchor_max_age_s = 60\n');
  assert.ok(!refused.ok);
  assert.match(refused.error.map(problemText).join('\n'), /anchor_max_age_s is set, but every log .* Rekor v2.*Leave/s);
  assert.ok(load([trustedLog(2)], '').ok);
  assert.ok(load([trustedLog(1)], 'anchor_max_age_s = 60\n').ok);
  assert.ok(load([trustedLog(2), trustedLog(1)], 'anchor_max_age_s = 60\n').ok);
  const [local] = problems(`${HEAD}[policy]\nanchors = ["local"]\nanchor_max_age_s = 60\n`);
  assert.match(local ?? '', /does not name "rekor"/);
});
