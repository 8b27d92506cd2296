import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatCheckpoint, openCheckpoint, parseCheckpoint, signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { appendSignature, cosign } from '../../../src/merkle/cosignature.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { EMPTY_ROOT } from '../../../src/merkle/hash.ts';
import { formatNote, signEd25519 } from '../../../src/merkle/note.ts';
import { leafOf, turned } from './slow-tree.ts';

const ORIGIN = 'acme.example/journal/5efc069d8f1c2c9e';
const signer = createLogSigner(ORIGIN, Buffer.alloc(32, 1));
const log = { origin: ORIGIN, key: signer.publicKey };
const root = leafOf(7);
const note = signCheckpoint(ORIGIN, 300, root, signer);
const malformed = { ok: false, error: 'checkpoint_malformed' };

function codeOf(text: string | Uint8Array, pinned: typeof log = log): string {
  const opened = openCheckpoint(text, pinned);
  return opened.ok ? 'ok' : opened.error;
}

/** A note over any text, signed with the log's key. */
const signed = (text: string) => formatNote({ text, signatures: [signEd25519(text, signer)] });

test('a checkpoint is read back as it was written', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger().map(Math.abs), fc.uint8Array({ minLength: 32, maxLength: 32 }), (any, bytes) => {
      const size = Math.max(any, 1);
      const text = formatCheckpoint(ORIGIN, size, bytes);
      assert.deepEqual(parseCheckpoint(text), { ok: true, value: { origin: ORIGIN, size, root: Buffer.from(bytes) } });
    }),
  );
  const opened = openCheckpoint(note, log);
  assert.ok(opened.ok);
  assert.deepEqual([opened.value.origin, opened.value.size, opened.value.root], [ORIGIN, 300, root]);
  assert.equal(formatNote(opened.value.note), note);
});

test('every text has one spelling', () => {
  const good = formatCheckpoint(ORIGIN, 300, root);
  const base64 = root.toString('base64');
  const wrong = [
    '',
    '\n\n\n',
    good.slice(0, -1),
    `${good}\n`,
    `${good}extension\n`,
    `\n${good}`,
    good.replace('300', '0300'),
    good.replace('300', '+300'),
    good.replace('300', '-300'),
    good.replace('300', '300 '),
    good.replace('300', ' 300'),
    good.replace('300', ''),
    good.replace('300', '0x12c'),
    good.replace('300', '3e2'),
    good.replace('300', '300.0'),
    good.replace('300', '٣٠٠'),
    good.replace('300', '00'),
    good.replace('300', '9007199254740992'),
    good.replace('300', '99999999999999999999'),
    good.replace(base64, base64.slice(0, -1)),
    good.replace(base64, `${base64}=`),
    good.replace(base64, root.subarray(1).toString('base64')),
    good.replace(base64, Buffer.concat([root, Buffer.of(0)]).toString('base64')),
    good.replace(base64, root.toString('hex')),
    good.replace(base64, ''),
    good.replace(ORIGIN, ''),
    good.replace(ORIGIN, 'acme example'),
    good.replace(ORIGIN, 'acme+example'),
    good.replace('300', '0'),
    `${ORIGIN}\n300\n`,
  ];
  for (const text of wrong) {
    assert.deepEqual(parseCheckpoint(text), malformed, JSON.stringify(text));
    if (text.endsWith('\n')) assert.deepEqual(openCheckpoint(signed(text), log), malformed, JSON.stringify(text));
  }
  assert.equal(parseCheckpoint(good.replace('300', '9007199254740991')).ok, true);
});

test('the last base64 character has one spelling too', () => {
  const spelling = formatCheckpoint(ORIGIN, 300, Buffer.alloc(32)).replace('A=', 'B=');
  assert.deepEqual(parseCheckpoint(spelling), malformed);
});

test('reading never throws, and no bit of a signed checkpoint can be turned', () => {
  fc.assert(fc.property(fc.string(), (any) => assert.equal(typeof parseCheckpoint(any).ok, 'boolean')));
  fc.assert(fc.property(fc.oneof(fc.string(), fc.uint8Array()), (any) => assert.equal(codeOf(any), malformed.error)));
  const bytes = Buffer.from(note);
  for (let bit = 0; bit < bytes.length * 8; bit++) assert.notEqual(codeOf(turned(bytes, bit)), 'ok');
});

test('another origin, another key and no signature of the log are told apart', () => {
  const stranger = createLogSigner('globex.example/journal/1', Buffer.alloc(32, 2));
  const imposter = createLogSigner(ORIGIN, Buffer.alloc(32, 2));
  const text = formatCheckpoint(ORIGIN, 300, root);
  assert.equal(codeOf(signCheckpoint(stranger.name, 300, root, stranger)), 'checkpoint_origin_mismatch');
  assert.equal(codeOf(signCheckpoint(ORIGIN, 300, root, imposter)), 'checkpoint_signature_invalid');
  assert.equal(codeOf(note, { origin: ORIGIN, key: imposter.publicKey }), 'checkpoint_signature_invalid');
  assert.equal(codeOf(note, { origin: ORIGIN, key: Buffer.alloc(31) }), 'checkpoint_signature_invalid');
  assert.equal(codeOf(note, { origin: ORIGIN, key: Buffer.alloc(32) }), 'checkpoint_signature_invalid');
  // the right key under another name signs for another log
  const renamed = formatNote({ text, signatures: [{ ...signEd25519(text, signer), name: 'globex.example' }] });
  assert.equal(codeOf(renamed), 'checkpoint_signature_invalid');
  // a cosignature by the log's key is none of its checkpoint signatures
  const cosigned = formatNote({ text, signatures: [cosign(text, 1, signer)] });
  assert.equal(codeOf(cosigned), 'checkpoint_signature_invalid');
});

test('signatures of others may stand beside that of the log', () => {
  const witness = createLogSigner('witness.example', Buffer.alloc(32, 3));
  const text = formatCheckpoint(ORIGIN, 300, root);
  const cosigned = appendSignature(note, cosign(text, 1_767_229_200, witness));
  const opened = openCheckpoint(cosigned, log);
  assert.equal(opened.ok && opened.value.note.signatures.length, 2);
});

test('the empty tree has one root', () => {
  assert.equal(codeOf(signCheckpoint(ORIGIN, 0, EMPTY_ROOT, signer)), 'ok');
  assert.equal(codeOf(signed(`${ORIGIN}\n0\n${root.toString('base64')}\n`)), 'checkpoint_malformed');
});

test('nothing that a reader would refuse is signed', () => {
  for (const size of [-1, 0.5, Number.NaN, 2 ** 53]) {
    assert.throws(() => signCheckpoint(ORIGIN, size, root, signer), RangeError);
  }
  assert.throws(() => signCheckpoint(ORIGIN, 1, root.subarray(1), signer), RangeError);
  assert.throws(() => signCheckpoint(ORIGIN, 0, root, signer), RangeError);
  assert.throws(() => signCheckpoint('other.example', 1, root, signer), RangeError);
  assert.throws(() => formatCheckpoint('a\nb', 1, root), RangeError);
});
