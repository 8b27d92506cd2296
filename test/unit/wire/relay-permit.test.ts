import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_RELAY_PAGE_ENTRIES } from '../../../src/core/limits.ts';
import type { Origins } from '../../../src/wire/origins.ts';
import { decodePageHeader } from '../../../src/wire/page-header.ts';
import {
  decodePermitAnswer,
  decodePermitRequest,
  encodePermitAnswer,
  encodePermitRequest,
  openRelayPermit,
  parseRelayPermit,
  signRelayPermit,
} from '../../../src/wire/relay-permit.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { RelayLog } from '../../support/relay-log.ts';

const log = new RelayLog();
const key = { origin: log.origin.origin, key: log.origin.signer.publicKey };
const permit = log.permit();

test('a permit opens under the origin’s key, and says what was signed', () => {
  const opened = openRelayPermit(permit, key);
  assert.ok(opened.ok);
  assert.deepEqual(opened.value, {
    origin: log.origin.origin,
    relay: log.relay.nodeId,
    issuedAt: '2025-12-31T00:00:00.000Z',
    notAfter: '2026-01-07T00:00:00.000Z',
  });
});

test('no byte of a permit can be changed, left out or doubled', () => {
  const bytes = Buffer.from(permit);
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [0x01, 0x20, 0x80]) {
      const flipped = Buffer.from(bytes);
      flipped[at] = (flipped[at] ?? 0) ^ mask;
      assert.ok(!openRelayPermit(flipped.toString('utf8'), key).ok, `${at} ^ ${mask}`);
    }
    const without = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    const doubled = Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)]);
    for (const other of [without, doubled]) assert.ok(!openRelayPermit(other.toString('utf8'), key).ok, `${at}`);
  }
});

test('one text per value: other numbers, feeds, times and lines are none', () => {
  const text = permit.slice(0, permit.indexOf('\n\n') + 1);
  assert.ok(parseRelayPermit(text).ok);
  const wrong = [
    text.replace('\n1\n', '\n01\n'),
    text.replace('\n1\n', '\n0\n'),
    text.replace('\npublic\n', '\nfrom/x.example/public\n'),
    text.replace('.000Z\n', 'Z\n'),
    text.replace('2026-01-07', '2025-12-31'),
    text.replace('2026-01-07', '2026-02-31'),
    text.replace('stigmem://', 'stigmen://'),
    `${text}\n`,
    text.trimEnd(),
  ];
  for (const one of wrong) assert.ok(!parseRelayPermit(one).ok, one);
  const told = { relay: 'globex.example', issuedAt: '2026-01-01T00:00:00.000Z', notAfter: '2026-01-02T00:00:00.000Z' };
  assert.throws(() => signRelayPermit(told, log.origin.signer), RangeError);
});

test('request and answer', () => {
  assert.ok(decodePermitRequest(encodePermitRequest()).ok);
  assert.ok(!decodePermitRequest(Buffer.from('{}')).ok);
  for (const one of [permit, null])
    assert.deepEqual(decodePermitAnswer(encodePermitAnswer(one)), { ok: true, value: one });
  assert.ok(!decodePermitAnswer(encodePermitAnswer(permit).subarray(1)).ok);
});

test('what a relay shows is bounded', () => {
  const header = log.page().header;
  assert.ok(decodePageHeader(header).ok);
  const told = (change: (origins: Origins) => object): boolean => {
    const read = JSON.parse(Buffer.from(header).toString('utf8'));
    return decodePageHeader(Buffer.from(JSON.stringify({ ...read, origins: change(read.origins) }))).ok;
  };
  assert.ok(told((origins) => origins));
  const [batch] = log.origins(log.relay.entries).batches;
  assert.ok(batch !== undefined);
  const many = <T>(one: T, count: number): T[] => Array.from({ length: count }, () => one);
  const lies: readonly ((origins: Origins) => object)[] = [
    (o) => ({ ...o, entries: o.entries.slice(1) }),
    (o) => ({ ...o, entries: many(null, MAX_RELAY_PAGE_ENTRIES + 1) }),
    (o) => ({ ...o, batches: many(batch, MAX_RELAY_PAGE_ENTRIES + 1) }),
    (o) => ({ ...o, batches: [{ ...batch, places: [MAX_RELAY_PAGE_ENTRIES] }] }),
    (o) => ({ ...o, batches: [{ ...batch, proof: many(Buffer.alloc(32).toString('base64'), 8_193) }] }),
    (o) => ({ ...o, batches: [{ ...batch, checkpoint: 'x'.repeat(2_049) }] }),
    (o) => ({ ...o, permit: 'x'.repeat(4_097) }),
    (o) => ({ ...o, successions: many('x', 9) }),
    (o) => ({ ...o, more: 1 }),
  ];
  for (const [i, lie] of lies.entries()) assert.ok(!told(lie), String(i));
  assert.ok(!decodePageHeader(Buffer.concat([Buffer.alloc(2_097_152, ' '), header])).ok);
});

test('a header has origins exactly if its feed is that of another node', () => {
  const own = Buffer.from(new HonestPeer().appendMany(1).page({ feed: 'public', after: 0 }).header).toString('utf8');
  const relayed = Buffer.from(log.page().header).toString('utf8');
  for (const text of [own.replace('"public"', '"from/x.example/public"'), relayed.replace(`"${log.feed}"`, '"public"')])
    assert.deepEqual(decodePageHeader(Buffer.from(text)).ok ? 'taken' : 'refused', 'refused');
});
