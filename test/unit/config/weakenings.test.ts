import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { type Config, loadConfig } from '../../../src/config/config.ts';
import { dataPaths } from '../../../src/config/data-dir.ts';
import type { ConfigFlags } from '../../../src/config/overlay.ts';
import { checkPeerFile, type PeerFile } from '../../../src/config/peer-file.ts';
import { renderConfig } from '../../../src/config/template.ts';
import { parseTomlText } from '../../../src/config/toml-file.ts';
import { weakeningsOf } from '../../../src/config/weakenings.ts';
import { WEAKENINGS, type WeakeningCode } from '../../../src/core/weakening.ts';

const PEER_ID = '12D3KooWNoN9sn86jWjb9F2u6czwcaJuLR2nZSzLekFnhtpxV5Ue';
let dir: string;
before(() => {
  dir = mkdtempSync(join(tmpdir(), 'peerd-weak-'));
  writeFileSync(dataPaths(dir).config, renderConfig('stigmem://acme.example'));
});
after(() => rmSync(dir, { recursive: true, force: true }));

function config(flags: ConfigFlags = {}): Config {
  const loaded = loadConfig(dir, {}, flags);
  assert.ok(loaded.ok, JSON.stringify(loaded));
  return loaded.value;
}

function peer(lines: string): PeerFile {
  const toml = `node_id = "stigmem://globex.example"\npeer_id = "${PEER_ID}"\n${lines}`;
  const parsed = parseTomlText('globex.toml', toml);
  assert.ok(parsed.ok);
  const checked = checkPeerFile('globex.toml', parsed.value);
  assert.ok(checked.ok, JSON.stringify(checked));
  return checked.value;
}

const key = (expires_at: string | null, revoked_at: string | null = null) => ({
  id: 'k1',
  name: 'old',
  expires_at,
  revoked_at,
});

test('the configuration that init writes, with a partner and a key, has nothing to tell', () => {
  const usual = [peer('share = ["public", "company"]\naccept = ["public"]\nnamespaces = ["globex.example"]\n')];
  assert.deepEqual(weakeningsOf(config(), usual, [key('2027-01-01T00:00:00Z')]), []);
});

const CASES: readonly [WeakeningCode, where: string, flags: ConfigFlags, says: RegExp][] = [
  [
    'addresses_opened',
    'network.allow_addresses',
    { 'network.allow_addresses': '10.0.0.0/8,10.1.0.0/16' },
    /2 networks .* 2\^24 addresses/,
  ],
  [
    'addresses_opened',
    'network.allow_addresses',
    { 'network.allow_addresses': '0.0.0.0/0' },
    /1 network that is not public, the largest of 2\^32/,
  ],
  [
    'api_plain_http',
    'api.behind_proxy',
    { 'api.host': '0.0.0.0', 'api.behind_proxy': 'true' },
    /0\.0\.0\.0 without TLS/,
  ],
  [
    'clock_ahead',
    'federation.max_future_skew_s',
    { 'federation.max_future_skew_s': '86400' },
    /86400 s into the future/,
  ],
  ['erasure_at_once', 'tombstones.undo_window_s', { 'tombstones.undo_window_s': '0' }, /no time to undo/],
  ['erasure_at_once', 'tombstones.received_window_s', { 'tombstones.received_window_s': '0' }, /as evidence/],
  ['guard_impatient', 'guard.wait_s', { 'guard.wait_s': '0' }, /second history/],
];
for (const [code, where, flags, says] of CASES)
  test(`${Object.entries(flags).join()} is told as ${code}`, () => {
    const [found, ...more] = weakeningsOf(config(flags), [], []);
    assert.deepEqual([found?.code, found?.where, more], [code, where, []]);
    assert.match(found?.sentence ?? '', says);
  });

test('what is allowed and not weaker is not told', () => {
  const flags = {
    'api.behind_proxy': 'true',
    'federation.max_future_skew_s': '3600',
    'federation.max_past_skew_s': '31536000',
  };
  assert.deepEqual(weakeningsOf(config(flags), [], [key(null, '2026-01-01T00:00:00Z')]), []);
});

test('team facts for a partner, and a key without an end', () => {
  const shared = peer('share = ["team", "public"]\nallow_team = true\n');
  const disabled = { ...shared, disabled: true };
  const unused = peer('share = ["public"]\nallow_team = true\n');
  const found = weakeningsOf(config(), [disabled, unused, shared], [key(null)]);
  assert.deepEqual(
    found.map(({ code, where }) => [code, where]),
    [
      ['api_key_endless', 'k1'],
      ['team_shared', 'peers/globex.toml'],
    ],
  );
});

test('every code has a case', () => {
  const told = new Set<string>([...CASES.map(([code]) => code), 'api_key_endless', 'team_shared']);
  assert.deepEqual([...told].sort(), [...WEAKENINGS].sort());
});
