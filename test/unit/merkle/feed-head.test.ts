import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import {
  type FeedHead,
  formatFeedHead,
  openFeedHead,
  parseFeedHead,
  signFeedHead,
} from '../../../src/merkle/feed-head.ts';
import { formatNote, signEd25519 } from '../../../src/merkle/note.ts';
import { leafOf, turned } from './slow-tree.ts';

const ORIGIN = 'acme.example/journal/5efc069d8f1c2c9e';
const signer = createLogSigner(ORIGIN, Buffer.alloc(32, 1));
const log = { origin: ORIGIN, key: signer.publicKey };
const head: FeedHead = { origin: ORIGIN, feed: 'company/incident-42', length: 89, size: 300, lastLeaf: leafOf(7) };
const empty: FeedHead = { ...head, length: 0, lastLeaf: null };
const malformed = { ok: false, error: 'feed_head_malformed' };

function codeOf(note: string | Uint8Array, pinned: typeof log = log): string {
  const opened = openFeedHead(note, pinned);
  return opened.ok ? 'ok' : opened.error;
}

const signed = (text: string) => formatNote({ text, signatures: [signEd25519(text, signer)] });

test('a feed head is read back as it was written', () => {
  for (const one of [
    head,
    empty,
    { ...empty, size: 0 },
    { ...head, length: 300 },
    { ...head, feed: 'from/b.example/public' },
  ]) {
    assert.deepEqual(parseFeedHead(formatFeedHead(one)), { ok: true, value: one });
    assert.deepEqual(openFeedHead(signFeedHead(one, signer), log), { ok: true, value: one });
  }
  assert.equal(formatFeedHead(empty), `stigmem-feed/v1\n${ORIGIN}\ncompany/incident-42\n0\n300\n-\n`);
});

test('every text has one spelling', () => {
  const good = formatFeedHead(head);
  const base64 = leafOf(7).toString('base64');
  const wrong = [
    '',
    good.slice(0, -1),
    `${good}\n`,
    `${good}more\n`,
    good.replace('stigmem-feed/v1', 'stigmem-feed/v2'),
    good.replace('stigmem-feed/v1\n', ''),
    good.replace(ORIGIN, ''),
    good.replace(ORIGIN, 'a b'),
    good.replace('company/incident-42', ''),
    good.replace('\n89\n', '\n089\n'),
    good.replace('\n89\n', '\n\n'),
    good.replace('\n89\n', '\n-89\n'),
    good.replace('\n89\n', '\n301\n'),
    good.replace('\n89\n', '\n0\n'),
    good.replace('\n300\n', '\n0300\n'),
    good.replace('\n300\n', '\n88\n'),
    good.replace('\n300\n', '\n9007199254740992\n'),
    good.replace(base64, '-'),
    good.replace(base64, ''),
    good.replace(base64, base64.slice(0, -1)),
    good.replace(base64, leafOf(7).subarray(1).toString('base64')),
    formatFeedHead(empty).replace('\n-\n', `\n${base64}\n`),
    formatFeedHead(empty).replace('\n-\n', '\n\n'),
  ];
  for (const text of wrong) {
    assert.deepEqual(parseFeedHead(text), malformed, JSON.stringify(text));
    if (text.endsWith('\n')) assert.deepEqual(openFeedHead(signed(text), log), malformed, JSON.stringify(text));
  }
});

test('reading never throws, and no bit of a signed feed head can be turned', () => {
  fc.assert(fc.property(fc.string(), (any) => assert.deepEqual(parseFeedHead(any), malformed)));
  fc.assert(fc.property(fc.oneof(fc.string(), fc.uint8Array()), (any) => assert.equal(codeOf(any), malformed.error)));
  const bytes = Buffer.from(signFeedHead(head, signer));
  for (let bit = 0; bit < bytes.length * 8; bit++) assert.notEqual(codeOf(turned(bytes, bit)), 'ok');
});

test('another origin and another key are told apart', () => {
  const stranger = createLogSigner('globex.example/journal/1', Buffer.alloc(32, 2));
  const imposter = createLogSigner(ORIGIN, Buffer.alloc(32, 2));
  assert.equal(codeOf(signFeedHead({ ...head, origin: stranger.name }, stranger)), 'feed_head_origin_mismatch');
  assert.equal(codeOf(signFeedHead(head, imposter)), 'feed_head_signature_invalid');
  assert.equal(codeOf(signFeedHead(head, signer), { ...log, key: Buffer.alloc(32) }), 'feed_head_signature_invalid');
});

test('a checkpoint of the same log is no feed head', () => {
  assert.equal(codeOf(signCheckpoint(ORIGIN, 300, leafOf(7), signer)), 'feed_head_malformed');
});

test('nothing that a reader would refuse is signed', () => {
  const wrong: FeedHead[] = [
    { ...head, feed: 'a\nb' },
    { ...head, feed: '' },
    { ...head, feed: 'a\u0007' },
    { ...head, length: 301 },
    { ...head, length: 0.5 },
    { ...head, length: 0 },
    { ...head, lastLeaf: null },
    { ...head, lastLeaf: Buffer.alloc(31) },
    { ...head, size: 2 ** 53 },
  ];
  for (const one of wrong) assert.throws(() => signFeedHead(one, signer), RangeError, JSON.stringify(one));
  assert.throws(() => signFeedHead({ ...head, origin: 'other.example' }, signer), RangeError);
});
