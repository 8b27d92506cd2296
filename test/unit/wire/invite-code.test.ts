import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decodeBase32, encodeBase32 } from '../../../src/core/base32.ts';
import { decodeInviteCode, encodeInviteCode, guestSeedOf, type InviteCode } from '../../../src/wire/invite-code.ts';

const CODE: InviteCode = {
  nodeKey: Buffer.alloc(32, 1),
  secret: Buffer.alloc(16, 2),
  expiresS: 1_800_000_000,
  authority: 'acme.example',
  addresses: ['/dns4/peerd.acme.example/tcp/4101', '/ip6/2001:db8::1/tcp/4101'],
  share: ['public', 'company/incident-42'],
  accept: [],
  untilS: 1_900_000_000,
};

test('base32: the vectors of RFC 4648, in lower case and without padding, and nothing but them', () => {
  const vectors = {
    '': '',
    f: 'my',
    fo: 'mzxq',
    foo: 'mzxw6',
    foob: 'mzxw6yq',
    fooba: 'mzxw6ytb',
    foobar: 'mzxw6ytboi',
  };
  for (const [plain, text] of Object.entries(vectors)) {
    assert.equal(encodeBase32(Buffer.from(plain)), text);
    assert.equal(decodeBase32(text)?.toString(), plain);
  }
  for (const bad of ['MY', 'my======', 'mz', 'm', 'mzx', 'm1', 'mzxw6y q', 'mé'])
    assert.equal(decodeBase32(bad), undefined, bad);
});

test('a code is read back as it was made, with the line breaks of a mail in it', () => {
  for (const code of [CODE, { ...CODE, untilS: null, share: [], accept: ['public'] }]) {
    const text = encodeInviteCode(code);
    assert.match(text, /^stigmem1[a-z2-7]+$/);
    const broken = ` ${text.match(/.{1,40}/g)?.join('\r\n\t')}\n`;
    for (const one of [text, broken]) assert.deepEqual(decodeInviteCode(one), { ok: true, value: code });
  }
});

test('no character can be changed, lost or added', () => {
  const text = encodeInviteCode(CODE);
  for (let at = 0; at < text.length; at++) {
    const other = text[at] === 'q' ? 'r' : 'q';
    for (const bad of [
      text.slice(0, at) + other + text.slice(at + 1),
      text.slice(0, at) + text.slice(at + 1),
      text.slice(0, at) + other + text.slice(at),
    ])
      assert.ok(!decodeInviteCode(bad).ok, `character ${at}`);
  }
  assert.deepEqual(decodeInviteCode(text.toUpperCase()), { ok: false, error: 'no_code' });
  assert.deepEqual(decodeInviteCode(`stigmem1${'a'.repeat(30_000)}`), { ok: false, error: 'no_code' });
});

test('what does not fit is no code', () => {
  const bad: readonly Partial<InviteCode>[] = [
    { nodeKey: Buffer.alloc(31) },
    { secret: Buffer.alloc(15) },
    { authority: 'ACME.example' },
    { share: [''] },
    { accept: ['x'.repeat(256)] },
    { addresses: Array.from({ length: 17 }, () => '/ip4/192.0.2.1/tcp/1') },
    { expiresS: 2 ** 32 },
  ];
  for (const part of bad) assert.throws(() => encodeInviteCode({ ...CODE, ...part }), RangeError, JSON.stringify(part));
});

test('the guest follows from secret and inviter, and from nothing less', () => {
  const seed = Buffer.from(guestSeedOf(CODE)).toString('hex');
  assert.equal(seed, Buffer.from(guestSeedOf({ ...CODE, secret: Buffer.alloc(16, 2) })).toString('hex'));
  assert.notEqual(seed, Buffer.from(guestSeedOf({ ...CODE, secret: Buffer.alloc(16, 3) })).toString('hex'));
  assert.notEqual(seed, Buffer.from(guestSeedOf({ ...CODE, nodeKey: Buffer.alloc(32, 3) })).toString('hex'));
});
