import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import {
  decodeNoticeAnswer,
  decodeNoticeRequest,
  encodeNoticeAnswer,
  encodeNoticeRequest,
  formatNotice,
  MAX_NAMED_ENTRIES,
  MAX_NOTICE_BYTES,
  MAX_SHOWN_CHARS,
  openNotice,
  parseNotice,
  type RefusalNotice,
  type RefusedEntry,
  signNotice,
} from '../../../src/wire/refusal-notice.ts';

const signer = createLogSigner('globex.example/journal/00000000000000bb', new Uint8Array(32).fill(3));
const log = { origin: signer.name, key: signer.publicKey };
const HASH = `sha256:${'0'.repeat(64)}`;
const entry: RefusedEntry = {
  at: '2026-02-01T00:00:00.000Z',
  chain_seq: 9,
  cid: HASH,
  difference: { claimed: HASH, computed: null, field: 'cid' },
  evidence: HASH,
  feed_seq: 7,
};
const notice: Omit<RefusalNotice, 'origin'> = {
  author: 'stigmem://acme.example',
  feed: 'public',
  reason: 'cid_mismatch',
  number: 41,
  refused: 3,
  resolved: 1,
  at: '2026-02-01T00:00:00.000Z',
  entries: [entry, { ...entry, feed_seq: 5, chain_seq: 6, difference: null }],
};

test('what is signed opens again', () => {
  const note = signNotice(notice, signer);
  assert.deepEqual(openNotice(note, log), { ok: true, value: { ...notice, origin: signer.name } });
});

test('no changed character is taken', () => {
  const note = signNotice(notice, signer);
  for (let i = 0; i < note.length; i++) {
    const other = note[i] === 'b' ? 'c' : 'b';
    assert.equal(openNotice(`${note.slice(0, i)}${other}${note.slice(i + 1)}`, log).ok, false, `character ${i}`);
  }
  const foreign = createLogSigner('hooli.example/journal/00000000000000aa', new Uint8Array(32).fill(4));
  assert.deepEqual(openNotice(signNotice(notice, foreign), log), { ok: false, error: 'notice_origin_mismatch' });
  const posing = createLogSigner(signer.name, new Uint8Array(32).fill(4));
  assert.deepEqual(openNotice(signNotice(notice, posing), log), { ok: false, error: 'notice_signature_invalid' });
  assert.deepEqual(openNotice('x'.repeat(MAX_NOTICE_BYTES + 1), log), { ok: false, error: 'notice_malformed' });
});

test('one text per value', () => {
  const body = formatNotice({ ...notice, origin: signer.name });
  assert.ok(parseNotice(body).ok);
  for (const [from, to] of [
    ['\n41\n', '\n041\n'],
    ['\n41\n', '\n0\n'],
    ['\n3\n1\n', '\n3\n4\n'],
    ['\n3\n1\n', '\n2\n1\n'],
    ['cid_mismatch\n', 'Cid mismatch\n'],
    ['.000Z', 'Z'],
    ['{"at"', '{ "at"'],
    ['"feed_seq":7', '"feed_seq":0'],
    ['"chain_seq":9,', ''],
    ['}\n', '}\n\n'],
    ['/v1', '/v2'],
  ] as const)
    assert.deepEqual(parseNotice(body.replace(from, to)), { ok: false, error: 'notice_malformed' }, to);
  assert.deepEqual(parseNotice(body.slice(0, -1)), { ok: false, error: 'notice_malformed' });
  assert.throws(() => formatNotice({ ...notice, origin: signer.name, resolved: 4 }), RangeError);
});

test('a notice of a million refusals of the longest texts fits its bounds', () => {
  const long = '\u0001'.repeat(MAX_SHOWN_CHARS);
  const difference = { claimed: long, computed: long, field: 'value' };
  const entries = Array.from({ length: 1_000 }, () => ({ ...entry, difference }));
  const note = signNotice({ ...notice, refused: 1_000_000, entries }, signer);
  assert.ok(Buffer.byteLength(note) <= MAX_NOTICE_BYTES);
  const opened = openNotice(note, log);
  assert.ok(opened.ok && opened.value.entries.length >= 1);
  const short = openNotice(
    signNotice({ ...notice, refused: 1_000_000, entries: entries.map(() => entry) }, signer),
    log,
  );
  assert.equal(short.ok && short.value.entries.length, MAX_NAMED_ENTRIES);
});

test('request and answer have one encoding and bounds', () => {
  assert.ok(decodeNoticeRequest(encodeNoticeRequest({ notices: ['a note'] })).ok);
  assert.ok(decodeNoticeAnswer(encodeNoticeAnswer({ taken: 1 })).ok);
  assert.equal(decodeNoticeRequest(Buffer.from('{"notices": [],"v":1}')).ok, false);
  assert.throws(() => encodeNoticeRequest({ notices: Array.from({ length: 17 }, () => 'x') }), TypeError);
});
