import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCid, parseCid } from '../../../src/core/cid.ts';
import { normalizeEntity } from '../../../src/core/entity.ts';
import { isUuid, uuidV7 } from '../../../src/core/ids.ts';
import { authorityOf, isNodeId, nodeIdOf, parseNodeId } from '../../../src/core/node-id.ts';
import { feedOf, gardenSlug, isFeed, isScope, parseFeed, receivedFeed } from '../../../src/core/scope.ts';

test('node ids: lower-case authority, nothing behind it', () => {
  for (const good of [
    'stigmem://acme.example',
    'stigmem://a',
    'stigmem://127.0.0.1:8765',
    'stigmem://xn--bcher-kva.example',
  ]) {
    assert.ok(isNodeId(good), good);
  }
  const bad = [
    'stigmem://',
    'stigmem://Acme',
    'stigmem://a/',
    'stigmem://a/b',
    'stigmem:a',
    'http://a',
    'stigmem://a..b',
    'stigmem://-a',
    'stigmem://a-',
    'stigmem://a b',
    'stigmem://a\n',
    'stigmem://a:0',
    'stigmem://a:',
    'stigmem://ü',
    `stigmem://${'a.'.repeat(150)}a`,
  ];
  for (const text of bad) assert.equal(isNodeId(text), false, text);
  assert.deepEqual(parseNodeId('stigmem://a.b'), { ok: true, value: { nodeId: 'stigmem://a.b', authority: 'a.b' } });
  assert.deepEqual(nodeIdOf('a b'), { ok: false, error: 'node_id_malformed' });
});

test('the authority of a URI', () => {
  assert.equal(authorityOf('stigmem://acme.example/user/alice'), 'acme.example');
  assert.equal(authorityOf('stigmem://acme.example'), 'acme.example');
  for (const uri of ['user:alice', 'STIGMEM://a/b', 'stigmem:///a', 'stigmem://A/b', ''])
    assert.equal(authorityOf(uri), null, uri);
});

test('feeds: scope, garden inside a scope, origin of what was received', () => {
  assert.deepEqual(feedOf({ scope: 'team', garden_id: null }), { ok: true, value: 'team' });
  assert.deepEqual(feedOf({ scope: 'company', garden_id: 'stigmem://a/garden/incident-42' }), {
    ok: true,
    value: 'company/incident-42',
  });
  assert.deepEqual(feedOf({ scope: 'company', garden_id: 'incident-42' }), { ok: true, value: 'company/incident-42' });
  assert.deepEqual(feedOf({ scope: 'galaxy', garden_id: null }), { ok: false, error: 'scope_unknown' });
  assert.deepEqual(receivedFeed('acme.example', 'public'), { ok: true, value: 'from/acme.example/public' });
  assert.deepEqual(receivedFeed('acme/evil', 'public'), { ok: false, error: 'authority_malformed' });
  for (const garden of ['', '..', 'a b', 'a\nb', 'x/', 'a/'.repeat(3)]) assert.equal(gardenSlug(garden), null, garden);
  assert.deepEqual(parseFeed('from/a/team'), { ok: true, value: { kind: 'received', scope: 'team', authority: 'a' } });
  assert.deepEqual(parseFeed('team/g'), { ok: true, value: { kind: 'own', scope: 'team', garden: 'g' } });
  for (const name of [
    '',
    'x',
    'team/',
    'team/a/b',
    'from',
    'from/a',
    'from/A/team',
    'from/a/x',
    'from/a/team/b',
    'team\n',
    ' team',
  ]) {
    assert.equal(isFeed(name), false, name);
  }
  assert.equal(isScope('toString'), false);
});

test('a CID ends with its last digit', () => {
  const cid = `sha256:${'0a'.repeat(32)}`;
  assert.ok(isCid(cid));
  assert.deepEqual(parseCid(cid), { ok: true, value: Buffer.alloc(32, 0x0a) });
  for (const bad of [`${cid}\n`, cid.toUpperCase(), cid.slice(1), `${cid}0`, '']) assert.equal(parseCid(bad).ok, false);
});

test('version 7 UUIDs: time first, version and variant set, sorted by time', () => {
  const ones = Buffer.alloc(10, 0xff);
  // The example of RFC 9562, appendix A.6.
  assert.equal(
    uuidV7(0x017f22e279b0, Buffer.from('0cc318c4dc0c0c07398f', 'hex')),
    '017f22e2-79b0-7cc3-98c4-dc0c0c07398f',
  );
  assert.equal(uuidV7(0, ones), '00000000-0000-7fff-bfff-ffffffffffff');
  assert.ok(isUuid(uuidV7(Date.UTC(2026, 0), ones)));
  assert.ok(uuidV7(1, ones) < uuidV7(2, Buffer.alloc(10)));
  assert.throws(() => uuidV7(-1, ones), { code: 'out_of_range' });
  assert.throws(() => uuidV7(2 ** 48, ones), { code: 'out_of_range' });
  assert.throws(() => uuidV7(0, Buffer.alloc(9)), { code: 'out_of_range' });
});

/** Checked against CPython 3.11.7. */
const NORMAL: [string, string | null][] = [
  ['ΑΣ', 'ας'],
  ['ΑΣΒ', 'ασβ'],
  ["ΑΣ'Β", "ασ'β"],
  ['Σ', 'σ'],
  ['İ', 'i̇'],
  ['\u1c89', '\u1c89'],
  ['A\u1c89Σ', 'a\u1c89σ'],
  ['\ua7cb', '\ua7cb'],
  ['\ufeffA', '\ufeffa'],
  ['a\u001cB', 'a-b'],
  ['stigmem://A/B/c\nd', 'stigmem://a/b/c-d'],
  ['stigmem://A/B/\u0085', 'stigmem://a/b/'],
  ['stigmem://A/ /c', null],
  ['stigmem://A B/C D/E  F', 'stigmem://a b/c d/e-f'],
  ['stigmem://A/B/C\rD', 'stigmem://a/b/c-d'],
  ['\u2003', null],
];
for (const [raw, normal] of NORMAL) {
  test(`normalizes ${JSON.stringify(raw)}`, () => {
    const result = normalizeEntity(raw);
    assert.equal(result.ok ? result.value : null, normal);
  });
}
