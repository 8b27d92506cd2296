import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { identityFromSeed, rawKeyOf } from '../../../src/transport/identity.ts';
import { formatPageNote, type PageNote, parsePageNote } from '../../../src/wire/page-note.ts';
import {
  formatReceipt,
  openReceipt,
  type PageReceipt,
  parseReceipt,
  signReceipt,
} from '../../../src/wire/page-receipt.ts';
import { peerKeyOf } from '../../../src/wire/peer-key.ts';
import { decodeReceiptAnswer, decodeReceiptRequest } from '../../../src/wire/receipt.ts';

const hash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
const range = fc.tuple(fc.nat(), fc.nat(4096)).map(([after, count]) => ({ after, to: after + count }));
const note: fc.Arbitrary<PageNote> = fc
  .tuple(range, fc.nat(), hash, fc.option(hash), fc.option(hash))
  .map(([{ after, to }, treeSize, header, entries, proof]) => ({
    origin: 'acme.example/journal/00000000000000aa',
    receiver: 'stigmem://globex.example',
    feed: 'company/incident-42',
    after,
    to,
    treeSize,
    header,
    entries,
    proof,
  }));
const receipt: fc.Arbitrary<PageReceipt> = fc.tuple(range, hash).map(([{ after, to }, page]) => ({
  receiver: 'globex.example/journal/00000000000000bb',
  sender: 'acme.example/journal/00000000000000aa',
  feed: 'public',
  after,
  to: to + 1,
  accepted: to - after,
  refused: 1,
  page,
}));

test('a note and a receipt read back what was written', () => {
  fc.assert(fc.property(note, (one) => assert.deepEqual(parsePageNote(formatPageNote(one)), { ok: true, value: one })));
  fc.assert(
    fc.property(receipt, (one) => assert.deepEqual(parseReceipt(formatReceipt(one)), { ok: true, value: one })),
  );
});

test('one text per value: whatever else is read writes itself again', () => {
  const splice = fc.record({ at: fc.nat(400), length: fc.nat(3), text: fc.string({ maxLength: 3 }) });
  const changed = (text: string, { at, length, text: put }: { at: number; length: number; text: string }): string =>
    text.slice(0, at) + put + text.slice(at + length);
  fc.assert(
    fc.property(note, receipt, splice, (one, other, cut) => {
      const [asNote, asReceipt] = [changed(formatPageNote(one), cut), changed(formatReceipt(other), cut)];
      const read = parsePageNote(asNote);
      if (read.ok) assert.equal(formatPageNote(read.value), asNote);
      const given = parseReceipt(asReceipt);
      if (given.ok) assert.equal(formatReceipt(given.value), asReceipt);
    }),
    { numRuns: 1_000 },
  );
});

test('numbers that cannot be: a page that ends before it begins, more judged than given', () => {
  const text = formatReceipt(fc.sample(receipt, 1)[0] as PageReceipt).split('\n');
  const with_ = (line: number, value: string): string => text.map((one, i) => (i === line ? value : one)).join('\n');
  for (const wrong of [with_(5, '0'), with_(6, '9999'), with_(7, '-1'), with_(4, '01'), with_(8, 'AAAA')])
    assert.equal(parseReceipt(wrong).ok, false, wrong);
});

test('a receipt under another name or key is none', () => {
  const signer = createLogSigner('globex.example/journal/00000000000000bb', Buffer.alloc(32, 1));
  const { receiver: _, page: __, ...told } = fc.sample(receipt, 1)[0] as PageReceipt;
  const signed = signReceipt(told, 'note', signer);
  assert.ok(openReceipt(signed, { origin: signer.name, key: signer.publicKey }).ok);
  const other = createLogSigner(signer.name, Buffer.alloc(32, 2)).publicKey;
  assert.deepEqual(openReceipt(signed, { origin: signer.name, key: other }), {
    ok: false,
    error: 'receipt_signature_invalid',
  });
  const elsewhere = openReceipt(signed, { origin: 'x', key: signer.publicKey });
  assert.deepEqual(elsewhere, { ok: false, error: 'receipt_origin_mismatch' });
});

test('requests and answers are bounded before they are read', () => {
  const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
  assert.equal(decodeReceiptRequest(bytes({ receipts: Array(65).fill('x'), v: 1 })).ok, false);
  assert.equal(decodeReceiptRequest(bytes({ receipts: ['x'.repeat(4_097)], v: 1 })).ok, false);
  assert.equal(decodeReceiptRequest(bytes({ receipts: ['x'], v: 1 })).ok, true);
  for (const taken of [-1, 65, 1.5, '1']) assert.equal(decodeReceiptAnswer(bytes({ taken, v: 1 })).ok, false);
});

test('the key inside of a peer id, without libp2p', async () => {
  for (let i = 0; i < 8; i++) {
    const { peerId } = await identityFromSeed(Buffer.alloc(32, i));
    assert.deepEqual(peerKeyOf(peerId), Buffer.from(rawKeyOf(peerId)));
    assert.equal(peerKeyOf(peerId.slice(1)), undefined);
    assert.equal(peerKeyOf(`${peerId.slice(0, -1)}0`), undefined);
  }
});
