import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, beforeEach, test } from 'node:test';
import { AdminError, type AdminErrorCode } from '../../../src/admin/errors.ts';
import { keyLockFile } from '../../../src/admin/key-file.ts';
import { type KeyStore, keyState, openKeyStore } from '../../../src/admin/keys.ts';

import { keyParty } from '../../../src/admin/party.ts';
import {
  effectivePermissions,
  type Holder,
  humanOnly,
  KEY_ROLES,
  type Permission,
  permits,
  rolePermissions,
} from '../../../src/core/permissions.ts';
import { takeLock } from '../../../src/journal/lock.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const DAY = 86_400_000;
const folders: string[] = [];
let path: string;
let store: KeyStore;

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-keys-'));
  folders.push(folder);
  path = join(folder, 'keys', 'api-keys.json');
  store = openKeyStore(path);
});
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function code(run: () => unknown): AdminErrorCode {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof AdminError, String(error));
    return error.code;
  }
  return assert.fail('nothing was thrown');
}

test('a key authenticates; the file holds no secret and is for its owner alone', () => {
  const { key, secret } = store.create({ name: 'loader', permissions: ['write', 'read', 'write'] }, NOW);
  assert.match(secret, /^smk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}$/);
  assert.deepEqual(key.permissions, ['read', 'write']);
  assert.equal(store.authenticate(secret, NOW)?.id, key.id);
  assert.ok(!readFileSync(path, 'utf8').includes(secret.slice(13)));
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

test('a wrong secret, a cut one, another id and nonsense are nobody', () => {
  const { secret } = store.create({ name: 'a', permissions: ['read'] }, NOW);
  const last = secret.endsWith('A') ? 'B' : 'A';
  const wrong = [
    secret.slice(0, -1) + last,
    secret.slice(0, -1),
    `${secret}x`,
    secret.replace(/^smk_.{8}/, 'smk_00000000'),
    '',
    'x',
  ];
  for (const presented of wrong) assert.equal(store.authenticate(presented, NOW), null, presented);
});

test('a key ends when it expires: 90 days unless said otherwise', () => {
  const { key, secret } = store.create({ name: 'a', permissions: ['read'] }, NOW);
  assert.ok(store.authenticate(secret, NOW + 90 * DAY - 1));
  assert.equal(store.authenticate(secret, NOW + 90 * DAY), null);
  assert.equal(keyState(key, NOW + 90 * DAY), 'expired');
});

test('a key revoked by another process is dead at the next request', () => {
  const { key, secret } = store.create({ name: 'a', permissions: ['read'] }, NOW);
  assert.ok(store.authenticate(secret, NOW));
  const other = openKeyStore(path);
  assert.equal(other.revoke(key.id, NOW)?.revoked_at, '2026-01-01T00:00:00.000Z');
  assert.equal(store.authenticate(secret, NOW), null);
  assert.equal(other.revoke('00000000', NOW), null);
});

test('names of living keys are unique; a revoked name is free again', () => {
  const { key } = store.create({ name: 'a', permissions: ['read'] }, NOW);
  assert.equal(
    code(() => store.create({ name: 'a', permissions: ['read'] }, NOW)),
    'key_name_taken',
  );
  store.revoke(key.id, NOW);
  assert.ok(store.create({ name: 'a', permissions: ['read'] }, NOW));
});

test('what is no key is refused', () => {
  for (const name of ['', 'A', '-a', 'a b', 'a'.repeat(65), 'a\n']) {
    assert.equal(
      code(() => store.create({ name, permissions: ['read'] }, NOW)),
      'key_invalid',
      name,
    );
  }
  assert.equal(
    code(() => store.create({ name: 'a', permissions: [] }, NOW)),
    'key_invalid',
  );
  for (const days of [0, -1, Number.NaN, 4_000]) {
    assert.equal(
      code(() => store.create({ name: 'a', permissions: ['read'], days }, NOW)),
      'key_invalid',
      String(days),
    );
  }
});

test('a damaged file stops everything; it does not become an empty one', () => {
  const { secret } = store.create({ name: 'a', permissions: ['read'] }, NOW);
  writeFileSync(path, '{"version":1,"keys":[{"id":"x"}]}');
  assert.equal(
    code(() => store.authenticate(secret, NOW)),
    'key_file_malformed',
  );
  assert.equal(
    code(() => store.create({ name: 'b', permissions: ['read'] }, NOW)),
    'key_file_malformed',
  );
  writeFileSync(path, 'not json');
  assert.equal(
    code(() => store.list()),
    'key_file_malformed',
  );
  chmodSync(path, 0o600);
});

test('two writers at once: the second is told', () => {
  store.create({ name: 'a', permissions: ['read'] }, NOW);
  const lock = takeLock(keyLockFile(path));
  assert.equal(
    code(() => store.create({ name: 'b', permissions: ['read'] }, NOW)),
    'key_file_locked',
  );
  lock.release();
  assert.ok(store.create({ name: 'b', permissions: ['read'] }, NOW));
});

test('whoever is killed while it changes the keys keeps nobody from revoking one', () => {
  const { key } = store.create({ name: 'a', permissions: ['read'] }, NOW);
  const module = new URL('../../../src/admin/key-file.ts', import.meta.url).href;
  const change = `import { changeKeyFile } from ${JSON.stringify(module)};
    changeKeyFile(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'));`;
  const died = spawnSync(process.execPath, ['--input-type=module', '-e', change], { encoding: 'utf8' });
  assert.equal(died.signal, 'SIGKILL', died.stderr);
  assert.equal(store.revoke(key.id, NOW)?.revoked_at, '2026-01-01T00:00:00.000Z');
});

const person = (...permissions: Permission[]): Holder => ({ class: 'human', permissions });
const program = (...permissions: Permission[]): Holder => ({ class: 'automation', permissions });

test('admin implies everything but writing instructions', () => {
  for (const permission of ['read', 'audit.read', 'review', 'admin:federation'] as const)
    assert.ok(permits(person('admin'), permission), permission);
  assert.equal(permits(person('admin'), 'instruction:write'), false);
  assert.equal(permits(person('read'), 'write'), false);
  assert.ok(permits(person('instruction:write'), 'instruction:write'));
  assert.ok(!effectivePermissions(person('admin')).includes('instruction:write'));
});

test('an automation key is refused what people decide, whatever the file grants it', () => {
  for (const permission of ['admin', 'admin:federation', 'review'] as const) {
    assert.equal(permits(program('admin', permission), permission), false, permission);
    assert.equal(
      code(() => store.create({ name: 'agent', class: 'automation', permissions: ['read', permission] }, NOW)),
      'key_invalid',
    );
  }
  // Nothing is implied by an admin that somebody wrote into the file.
  assert.deepEqual(effectivePermissions(program('admin', 'write')), ['write']);
});

test('a key is automation unless it is given what people decide; one from before classes is a person’s', () => {
  const made = (...permissions: Permission[]) =>
    store.create({ name: `k${permissions}`.replace(/[^a-z0-9.]/g, '-'), permissions }, NOW).key;
  assert.equal(made('read', 'write').class, 'automation');
  assert.equal(made('review').class, 'human');
  assert.equal(made('admin').class, 'human');
  const old = { id: '00000001', name: 'old', secret_sha256: '0'.repeat(64), permissions: ['admin'] };
  const times = { created_at: '2026-01-01T00:00:00.000Z', expires_at: null, revoked_at: null };
  writeFileSync(path, JSON.stringify({ version: 1, keys: [{ ...old, ...times }] }));
  assert.deepEqual(
    store.list().map((key) => [key.class, key.role]),
    [['human', null]],
  );
});

test('roles are bundles of permissions, and none of them writes instructions', () => {
  for (const role of KEY_ROLES) assert.ok(!rolePermissions(role).includes('instruction:write'), role);
  assert.deepEqual(
    KEY_ROLES.filter((role) => humanOnly(rolePermissions(role)) === null),
    ['reader', 'writer', 'auditor'],
  );
  assert.ok(!permits(person(...rolePermissions('operator')), 'review'));
  assert.ok(!permits(person(...rolePermissions('reviewer')), 'admin:federation'));
});

test('the last use of a key is kept over restarts, and written at most once a minute', () => {
  const { key, secret } = store.create({ name: 'a', permissions: ['read'] }, NOW);
  assert.equal(store.lastUsed(key.id), null);
  store.authenticate(`${secret.slice(0, -1)}.`, NOW);
  assert.equal(store.lastUsed(key.id), null, 'a wrong secret is no use');
  store.authenticate(secret, NOW);
  const file = join(dirname(path), 'api-keys.used.json');
  const first = statSync(file, { bigint: true }).ino;
  for (let second = 1; second < 60; second += 1) store.authenticate(secret, NOW + second * 1_000);
  assert.equal(statSync(file, { bigint: true }).ino, first);
  assert.equal(store.lastUsed(key.id), '2026-01-01T00:00:59.000Z');
  assert.equal(openKeyStore(path).lastUsed(key.id), '2026-01-01T00:00:00.000Z');
  store.close();
  assert.equal(openKeyStore(path).lastUsed(key.id), '2026-01-01T00:00:59.000Z');
  store.authenticate(secret, NOW + 120_000);
  assert.equal(openKeyStore(path).lastUsed(key.id), '2026-01-01T00:02:00.000Z');
  // A use that cannot be written fails no request.
  rmSync(dirname(path), { recursive: true });
  assert.doesNotThrow(() => store.close());
  mkdirSync(dirname(path));
});

test('a key may name the person who holds it, and is human then; one that names nobody stands in the file as before', () => {
  const person = 'https://idp.acme.example#24828';
  const bound = store.create({ name: 'ann', permissions: ['read'], person }, NOW).key;
  assert.deepEqual([bound.person, bound.class], [person, 'human']);
  const { actor } = keyParty(bound);
  assert.equal(actor, `agent:ann#${bound.id}#${person}`);
  store.create({ name: 'bot', permissions: ['read'] }, NOW);
  const written = JSON.parse(readFileSync(path, 'utf8')).keys;
  assert.deepEqual([written[0].person, 'person' in written[1]], [person, false]);
  assert.equal(openKeyStore(path).list()[1]?.person, null);
  for (const text of ['ann', 'https://idp.acme.example', 'https://idp.acme.example#', 'https://idp.acme.example#a b'])
    assert.equal(
      code(() => store.create({ name: 'x', permissions: ['read'], person: text }, NOW)),
      'key_invalid',
      text,
    );
  const ofIssuer = openKeyStore(path, 'https://idp.acme.example');
  assert.equal(ofIssuer.create({ name: 'ann-2', permissions: ['read'], person }, NOW).key.person, person);
  for (const issuer of ['https://idp.acme.example/', 'https://idp.other.example'])
    assert.throws(
      () => ofIssuer.create({ name: 'x', permissions: ['read'], person: `${issuer}#24828` }, NOW),
      new RegExp(`expected a person of oidc.issuer https://idp.acme.example, got one of ${issuer};`),
    );
  const machine = { name: 'x', permissions: ['read'], person, class: 'automation' } as const;
  assert.equal(
    code(() => store.create(machine, NOW)),
    'key_invalid',
  );
});
