import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import {
  decodeClosureAnswer,
  decodeClosureRequest,
  encodeClosureAnswer,
  encodeClosureRequest,
  formatClosure,
  openClosure,
  parseClosure,
  signClosure,
} from '../../../src/wire/closure.ts';

const signer = createLogSigner('acme.example/journal/00000000000000aa', new Uint8Array(32).fill(3));
const log = { origin: signer.name, key: signer.publicKey };
const closure = {
  receiver: 'stigmem://globex.example',
  feed: 'company/incident-42',
  to: 17,
  treeSize: 40,
  closedAt: '2026-12-31T00:00:00.000Z',
} as const;

test('what is signed opens again, and the same end always has the same bytes', () => {
  const note = signClosure(closure, signer);
  assert.equal(signClosure(closure, signer), note);
  assert.deepEqual(openClosure(note, log), {
    ok: true,
    value: { ...closure, origin: signer.name, reason: 'grant_expired' },
  });
});

test('no changed character is taken', () => {
  const note = signClosure(closure, signer);
  for (let i = 0; i < note.length; i++) {
    const other = note[i] === 'b' ? 'c' : 'b';
    const opened = openClosure(`${note.slice(0, i)}${other}${note.slice(i + 1)}`, log);
    assert.equal(opened.ok, false, `character ${i}`);
  }
  const foreign = createLogSigner('hooli.example/journal/00000000000000aa', new Uint8Array(32).fill(4));
  assert.deepEqual(openClosure(signClosure(closure, foreign), log), { ok: false, error: 'closure_origin_mismatch' });
  const posing = createLogSigner(signer.name, new Uint8Array(32).fill(4));
  assert.deepEqual(openClosure(signClosure(closure, posing), log), { ok: false, error: 'closure_signature_invalid' });
});

test('one text per value', () => {
  const body = formatClosure({ ...closure, origin: signer.name, reason: 'grant_expired' });
  assert.ok(parseClosure(body).ok);
  for (const [from, to] of [
    ['\n17\n', '\n017\n'],
    ['\n17\n', '\n41\n'],
    ['.000Z', 'Z'],
    ['2026-12-31', '2026-12-32'],
    ['grant_expired', 'else'],
    ['company/incident-42', 'secret feed'],
    ['/v1', '/v2'],
  ] as const)
    assert.deepEqual(parseClosure(body.replace(from, to)), { ok: false, error: 'closure_malformed' }, to);
  assert.throws(() => formatClosure({ ...closure, origin: signer.name, to: 41, reason: 'grant_expired' }), RangeError);
});

test('request and answer have one encoding and bounds', () => {
  assert.ok(decodeClosureRequest(encodeClosureRequest({ feeds: ['public'] })).ok);
  assert.ok(decodeClosureAnswer(encodeClosureAnswer({ closures: ['a note'] })).ok);
  assert.equal(decodeClosureRequest(Buffer.from('{"feeds": ["public"],"v":1}')).ok, false);
  assert.throws(() => encodeClosureAnswer({ closures: Array.from({ length: 65 }, () => 'x') }), TypeError);
});
