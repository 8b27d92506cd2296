import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isoMicros } from '../../../src/core/time.ts';
import type { PeerLogOptions } from '../../../src/drill/peer-log.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_ED25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { isRenewal, keyFault, keyLives } from '../../../src/verify/key-expiry.ts';
import type { DeclaredKey } from '../../../src/wire/declaration.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

const NOW = Date.parse('2027-03-01T12:00:00Z');
const DAY = 86_400_000;
const SKEW = 300_000;
const SINCE = '2027-01-01T00:00:00.000000+00:00';
const ORIGIN = 'acme.example/journal/00000000000000aa';

const iso = (ms: number): string => isoMicros(ms * 1000);

function key(not_after: string | null, change: Partial<DeclaredKey> & { readonly seed?: number } = {}): DeclaredKey {
  const { seed = 1, ...rest } = change;
  const { publicKey } = createLogSigner(ORIGIN, Buffer.alloc(32, seed));
  const vkey = formatVerifierKey({ name: ORIGIN, algorithm: ALG_ED25519, publicKey });
  return { algorithm: 'ed25519', not_after, not_before: SINCE, use: 'log', vkey, ...rest };
}

const STEPS: readonly (readonly [leftMs: number, step: number | null, daysLeft: number])[] = [
  [31 * DAY, null, 31],
  [30 * DAY + 1, null, 30],
  [30 * DAY, 30, 30],
  [14 * DAY + 1, 30, 14],
  [14 * DAY, 14, 14],
  [7 * DAY + 1, 14, 7],
  [7 * DAY, 7, 7],
  [DAY + 1, 7, 1],
  [DAY, 1, 1],
  [1, 1, 0],
  [0, 0, 0],
  [-1, 0, -1],
  [-400 * DAY, 0, -400],
];
for (const [leftMs, step, daysLeft] of STEPS) {
  test(`${leftMs} ms before its end a key has passed step ${step}`, () => {
    const [life] = keyLives([key(iso(NOW + leftMs))], NOW);
    const state = leftMs > 0 ? 'valid' : 'expired';
    assert.deepEqual([life?.step, life?.daysLeft, life?.state], [step, daysLeft, state]);
    assert.equal(life?.endsMs, NOW + leftMs);
  });
}

test('a key without an end is warned of never; one that has not begun says so', () => {
  const [life] = keyLives([key(null)], NOW);
  assert.deepEqual([life?.state, life?.step, life?.daysLeft, life?.name], ['valid', null, null, ORIGIN]);
  assert.match(life?.keyId ?? '', /^[0-9a-f]{8}$/);
  assert.equal(keyLives([key(null, { not_before: iso(NOW + 1) })], NOW)[0]?.state, 'not_yet');
  assert.equal(keyLives([key(null, { not_before: iso(NOW) })], NOW)[0]?.state, 'valid');
});

const NO_TIMES = [
  '',
  'soon',
  '2027-04-01',
  '2027-04-01T00:00:00',
  '2027-04-01 00:00:00Z',
  '2027-02-30T00:00:00Z',
  '2027-04-01T24:00:00Z',
  '2027-04-01T00:00:00.1234567Z',
  '2027-04-01T00:00:00+24:00',
  ' 2027-04-01T00:00:00Z',
  '2027-04-01T00:00:00Z\n',
  '20270401T000000Z',
];
for (const text of NO_TIMES) {
  test(`${JSON.stringify(text)} is no time: the key is unreadable, and counts no more`, () => {
    const [life] = keyLives([key(text)], NOW);
    assert.deepEqual([life?.state, life?.endsMs, life?.step], ['unreadable', null, null]);
    assert.equal(keyFault(key(text), NOW), 'unreadable');
    assert.equal(keyLives([key(null, { not_before: text })], NOW)[0]?.state, 'unreadable');
  });
}

test('a time with an offset is the moment that it names, rounded down', () => {
  assert.equal(
    keyLives([key('2027-04-01T01:00:00.0019+01:00')], NOW)[0]?.endsMs,
    Date.parse('2027-04-01T00:00:00.001Z'),
  );
});

test('a key that another goes on after is replaced: nobody has to act', () => {
  const ending = key(iso(NOW + DAY));
  const later = key(null, { seed: 2, not_before: iso(NOW - DAY) });
  assert.deepEqual(
    keyLives([ending, later], NOW).map(({ state, step }) => [state, step]),
    [
      ['replaced', null],
      ['valid', null],
    ],
  );
  const others = [
    key(null, { seed: 2, not_before: iso(NOW + 2 * DAY) }), // a hole between the two
    key(iso(NOW + DAY), { seed: 2 }), // ends with it
    key('never', { seed: 2 }),
    key(null), // the same key
    { ...later, use: 'anchor' } as const,
    { ...later, vkey: later.vkey.replace('acme', 'globex') },
  ];
  for (const other of others) assert.equal(keyLives([ending, other], NOW)[0]?.step, 1, JSON.stringify(other));
});

test('a verifier key that cannot be read has no key id, and still has its end', () => {
  const [life] = keyLives([key(iso(NOW + DAY), { vkey: 'junk' })], NOW);
  assert.deepEqual([life?.keyId, life?.name, life?.step], [null, '', 1]);
});

test('a key counts from its beginning to its end, by clocks that are 300 s apart at most', () => {
  assert.equal(keyFault(key(null), NOW), null);
  assert.equal(keyFault(key(iso(NOW - SKEW + 1)), NOW), null);
  assert.equal(keyFault(key(iso(NOW - SKEW)), NOW), 'expired');
  assert.equal(keyFault(key(null, { not_before: iso(NOW + SKEW) }), NOW), null);
  assert.equal(keyFault(key(null, { not_before: iso(NOW + SKEW + 1) }), NOW), 'not_yet');
});

test('a renewal says another time of the same keys, later; anything else is none', async () => {
  const seed = Buffer.alloc(32, 7);
  const { peerId } = await identityFromSeed(seed);
  const identity = createLogSigner('stigmem://acme.example', seed);
  const note = (options: PeerLogOptions): string => new HonestPeer(options).declaration(identity, peerId);
  const pinned = note({ declaredMs: NOW, keysEndMs: NOW + DAY });
  assert.equal(isRenewal(pinned, note({ declaredMs: NOW + 1, keysEndMs: NOW + 2 * DAY })), true, 'longer');
  assert.equal(isRenewal(pinned, note({ declaredMs: NOW + 1, keysEndMs: NOW })), true, 'shorter');
  assert.equal(isRenewal(pinned, note({ declaredMs: NOW + 1 })), true, 'without an end');

  assert.equal(isRenewal(pinned, 'junk'), false);
  assert.equal(isRenewal(pinned, note({ declaredMs: NOW + 1, keysEndMs: NOW + DAY })), false, 'the same times');
  assert.equal(isRenewal(pinned, note({ declaredMs: NOW, keysEndMs: NOW + 2 * DAY })), false, 'not later');
  assert.equal(isRenewal(pinned, note({ declaredMs: NOW - 1, keysEndMs: NOW + 2 * DAY })), false, 'earlier');
  const another = { declaredMs: NOW + 1, keysEndMs: NOW + 2 * DAY };
  assert.equal(isRenewal(pinned, note({ ...another, logKey: 'another key' })), false, 'another key');
  assert.equal(isRenewal(pinned, note({ ...another, journal: '00000000000000bb' })), false, 'another log');
});
