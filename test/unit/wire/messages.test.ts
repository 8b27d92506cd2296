import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Result } from '../../../src/core/result.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { decodeHello, encodeHello } from '../../../src/wire/hello.ts';
import { decodePageHeader, encodePageHeader, type PageHeader } from '../../../src/wire/page-header.ts';
import {
  decodeProofAnswer,
  decodeProofRequest,
  encodeProofAnswer,
  encodeProofRequest,
} from '../../../src/wire/proof.ts';
import { decodePullEnd, encodePullEnd, isPullEnd } from '../../../src/wire/pull-end.ts';
import { decodePullRequest, encodePullRequest } from '../../../src/wire/pull-request.ts';
import {
  decodeRelayedAckAnswer,
  decodeRelayedAcks,
  encodeRelayedAckAnswer,
  encodeRelayedAcks,
} from '../../../src/wire/relayed-ack.ts';
import type { Malformed } from '../../../src/wire/shape.ts';
import {
  decodeWatchRequest,
  decodeWatchUpdate,
  encodeWatchRequest,
  encodeWatchUpdate,
} from '../../../src/wire/watch.ts';
import { HonestPeer } from '../../support/honest-peer.ts';

type Decode = (bytes: Uint8Array) => Result<unknown, Malformed>;

const B32 = Buffer.alloc(32, 7).toString('base64');
const IDENTITY = createLogSigner('stigmem://acme.example', Buffer.alloc(32, 9));
const DECLARATION = new HonestPeer().declaration(IDENTITY, '12D3KooW');
const HEADER: PageHeader = {
  after: 4,
  anchor: null,
  checkpoint: 'note',
  consistency: [B32],
  encoding: 'zstd',
  entries_bytes: 2 * 46 + 21 + 22,
  feed: 'public',
  feed_head: 'note',
  indexes: [7, 9],
  lengths: [21, 22],
  origins: null,
  proof_hashes: 3,
};

/** As the message says it: the version follows from whether there are origins. */
function decodeOwnHeader(bytes: Uint8Array): ReturnType<Decode> {
  const decoded = decodePageHeader(bytes);
  if (!decoded.ok) return decoded;
  const { origins, ...header } = decoded.value;
  return { ok: true, value: { ...header, v: origins === null ? 1 : 2 } };
}

/** Every message: its bytes, and its decoder. */
const MESSAGES: Readonly<
  Record<string, { readonly bytes: Uint8Array; readonly text: string; readonly decode: Decode }>
> = {
  'pull request': {
    bytes: encodePullRequest({
      pages: 2,
      page_entries: 1000,
      page_bytes: 524_288,
      known_size: 12,
      feeds: [{ feed: 'public', after: 3 }],
      accept: ['zstd'],
    }),
    text: '{"accept":["zstd"],"feeds":[{"after":3,"feed":"public"}],"known_size":12,"page_bytes":524288,"page_entries":1000,"pages":2,"v":1}',
    decode: decodePullRequest,
  },
  'page header': {
    bytes: encodePageHeader(HEADER),
    text: `{"after":4,"anchor":null,"checkpoint":"note","consistency":["${B32}"],"encoding":"zstd","entries_bytes":135,"feed":"public","feed_head":"note","indexes":[7,9],"lengths":[21,22],"proof_hashes":3,"v":1}`,
    decode: decodeOwnHeader,
  },
  'end of a pull': {
    bytes: encodePullEnd({ has_more: false, end: true }),
    text: '{"end":true,"has_more":false,"v":1}',
    decode: decodePullEnd,
  },
  'error of a pull': {
    bytes: encodePullEnd({ error: 'busy', retry_after_ms: 500 }),
    text: '{"error":"busy","retry_after_ms":500,"v":1}',
    decode: decodePullEnd,
  },
  hello: {
    bytes: encodeHello({
      software: 'stigmem-peerd/0.1.0',
      protocols: ['/stigmem/federation/pull/1.0.0'],
      heads: [{ size: 5, root: B32, origin: 'acme.example/journal/00' }],
      declaration: DECLARATION,
      clock_ms: 1_767_225_600_000,
      successions: ['note'],
    }),
    text: `{"clock_ms":1767225600000,"declaration":${JSON.stringify(DECLARATION)},"heads":[{"origin":"acme.example/journal/00","root":"${B32}","size":5}],"protocols":["/stigmem/federation/pull/1.0.0"],"software":"stigmem-peerd/0.1.0","successions":["note"],"v":1}`,
    decode: decodeHello,
  },
  'watch request': {
    bytes: encodeWatchRequest({ feeds: ['public'] }),
    text: '{"feeds":["public"],"v":1}',
    decode: decodeWatchRequest,
  },
  'watch update': {
    bytes: encodeWatchUpdate({ size: 9, feeds: [{ length: 4, feed: 'public' }] }),
    text: '{"feeds":[{"feed":"public","length":4}],"size":9,"v":1}',
    decode: decodeWatchUpdate,
  },
  'relayed acknowledgements': {
    bytes: encodeRelayedAcks([
      { declaration: null, note: 'own' },
      { declaration: 'who', note: 'of another' },
    ]),
    text: '{"acks":[{"declaration":null,"note":"own"},{"declaration":"who","note":"of another"}],"v":1}',
    decode: decodeRelayedAcks,
  },
  'relayed acknowledgements taken': {
    bytes: encodeRelayedAckAnswer(2),
    text: '{"taken":2,"v":1}',
    decode: decodeRelayedAckAnswer,
  },
  'inclusion request': {
    bytes: encodeProofRequest({ v: 1, kind: 'inclusion', size: 9, indexes: [1, 2] }),
    text: '{"indexes":[1,2],"kind":"inclusion","size":9,"v":1}',
    decode: decodeProofRequest,
  },
  'consistency request': {
    bytes: encodeProofRequest({ v: 1, kind: 'consistency', to: 9, from: 3 }),
    text: '{"from":3,"kind":"consistency","to":9,"v":1}',
    decode: decodeProofRequest,
  },
  'tile request': {
    bytes: encodeProofRequest({ v: 1, kind: 'tile', width: 256, level: 1, index: 0 }),
    text: '{"index":0,"kind":"tile","level":1,"v":1,"width":256}',
    decode: decodeProofRequest,
  },
  'inclusion answer': {
    bytes: encodeProofAnswer({ v: 1, kind: 'inclusion', proofs: [[B32], []] }),
    text: `{"kind":"inclusion","proofs":[["${B32}"],[]],"v":1}`,
    decode: decodeProofAnswer,
  },
  'consistency answer': {
    bytes: encodeProofAnswer({ v: 1, kind: 'consistency', proof: [B32] }),
    text: `{"kind":"consistency","proof":["${B32}"],"v":1}`,
    decode: decodeProofAnswer,
  },
  'tile answer': {
    bytes: encodeProofAnswer({ v: 1, kind: 'tile', hashes: B32 }),
    text: `{"hashes":"${B32}","kind":"tile","v":1}`,
    decode: decodeProofAnswer,
  },
};

function refusal(decode: Decode, text: string | Uint8Array): Malformed {
  const decoded = decode(typeof text === 'string' ? Buffer.from(text) : text);
  assert.ok(!decoded.ok, `taken: ${text}`);
  return decoded.error;
}

for (const [name, { bytes, text, decode }] of Object.entries(MESSAGES)) {
  test(`${name}: one text, read back as it was written`, () => {
    assert.equal(Buffer.from(bytes).toString(), text);
    const decoded = decode(bytes);
    assert.ok(decoded.ok);
    assert.equal(JSON.stringify(decoded.value), text);
  });

  test(`${name}: another encoding of the same value is refused`, () => {
    const key = /"v":1/;
    assert.equal(refusal(decode, `${text} `).expected, 'canonical JSON');
    assert.equal(refusal(decode, ` ${text}`).expected, 'canonical JSON');
    assert.equal(refusal(decode, text.replace(key, '"v": 1')).expected, 'canonical JSON');
    assert.equal(refusal(decode, text.replace(key, '"v":1.0')).expected, 'canonical JSON');
    assert.equal(refusal(decode, text.replace(key, '"v":1e0')).expected, 'canonical JSON');
    assert.equal(refusal(decode, text.replace(key, '"v":1,"v":1')).expected, 'canonical JSON');
    assert.equal(refusal(decode, text.replace(key, '"\\u0076":1')).expected, 'canonical JSON');
    assert.equal(refusal(decode, `\ufeff${text}`).expected, 'JSON');
  });

  test(`${name}: unknown, missing and unsorted members, another version`, () => {
    assert.match(refusal(decode, text.replace(/"v":1/, '"v":1,"x":1')).expected, /^members /);
    assert.match(refusal(decode, text.replace(/,"v":1/, '')).expected, /^members /);
    const reversed = Object.fromEntries(Object.entries(JSON.parse(text)).reverse());
    assert.match(refusal(decode, JSON.stringify(reversed)).expected, /^members /);
    assert.deepEqual(refusal(decode, text.replace(/"v":1/, '"v":2')), { at: 'v', expected: '1', got: '2' });
  });

  test(`${name}: what is no message at all`, () => {
    assert.deepEqual(refusal(decode, 'null'), { at: '', expected: 'object', got: 'null' });
    assert.deepEqual(refusal(decode, '[]'), { at: '', expected: 'object', got: 'array of 0' });
    assert.deepEqual(refusal(decode, ''), { at: '', expected: 'JSON', got: 'other text' });
    assert.deepEqual(refusal(decode, text.slice(0, -1)), { at: '', expected: 'JSON', got: 'other text' });
    assert.deepEqual(refusal(decode, Buffer.from([0x22, 0xff, 0x22])), {
      at: '',
      expected: 'UTF-8',
      got: 'other bytes',
    });
    assert.equal(refusal(decode, `${'['.repeat(17)}${']'.repeat(17)}`).expected, 'at most 16 levels');
    assert.equal(refusal(decode, `"${'['.repeat(17)}"`).expected, 'object');
    assert.match(refusal(decode, Buffer.alloc(4_194_305, 0x20)).expected, /^at most \d+ bytes$/);
  });
}

type Wrong = readonly [message: string, from: string | RegExp, to: string, at: string, expected: string, got: string];
const LONG = 'x'.repeat(70);
const WRONG: readonly Wrong[] = [
  ['pull request', '"after":3', '"after":-1', 'feeds[0].after', `integer 0..${Number.MAX_SAFE_INTEGER}`, '-1'],
  ['pull request', '"after":3', '"after":-0', 'feeds[0].after', `integer 0..${Number.MAX_SAFE_INTEGER}`, '0'],
  [
    'pull request',
    '"after":3',
    '"after":9007199254740992',
    'feeds[0].after',
    `integer 0..${Number.MAX_SAFE_INTEGER}`,
    '9007199254740992',
  ],
  ['pull request', '"after":3', '"after":1.5', 'feeds[0].after', `integer 0..${Number.MAX_SAFE_INTEGER}`, '1.5'],
  ['pull request', '"after":3', '"after":"3"', 'feeds[0].after', `integer 0..${Number.MAX_SAFE_INTEGER}`, '"3"'],
  ['pull request', '"feed":"public"', '"feed":""', 'feeds[0].feed', 'text of 1..256 characters', '""'],
  ['pull request', '"feed":"public"', '"feed":"\\ud800"', 'feeds[0].feed', 'text of 1..256 characters', '"\\ud800"'],
  ['pull request', '["zstd"]', '["gzip"]', 'accept[0]', 'one of zstd', '"gzip"'],
  ['pull request', '["zstd"]', '["zstd","zstd"]', 'accept', 'array of at most 1', 'array of 2'],
  ['pull request', '"pages":2', '"pages":0', 'pages', 'integer 1..64', '0'],
  ['pull request', '"pages":2', '"pages":65', 'pages', 'integer 1..64', '65'],
  ['pull request', '"page_entries":1000', '"page_entries":4097', 'page_entries', 'integer 1..4096', '4097'],
  [
    'pull request',
    '{"after":3,"feed":"public"}',
    '{"after":3,"feed":"public"},{"after":4,"feed":"public"}',
    'feeds[1].feed',
    'each feed once',
    'a second cursor',
  ],
  ['page header', '"anchor":null', '"anchor":{}', 'anchor', 'text of 1..65536 characters', 'object'],
  ['page header', '"encoding":"zstd"', '"encoding":"br"', 'encoding', 'one of zstd, identity', '"br"'],
  ['page header', B32, LONG, 'consistency[0]', 'base64 of 32 bytes', `"${LONG.slice(0, 63)}…`],
  ['page header', B32, B32.replace('=', ''), 'consistency[0]', 'base64 of 32 bytes', `"${B32.replace('=', '')}"`],
  ['page header', B32, 'BwcH', 'consistency[0]', 'base64 of 32 bytes', '"BwcH"'],
  ['page header', '[7,9]', '[9,7]', 'indexes[1]', 'more than 9', '7'],
  ['page header', '[7,9]', '[7,7]', 'indexes[1]', 'more than 7', '7'],
  ['page header', '[21,22]', '[21]', 'lengths', '2 lengths', '1'],
  ['page header', '[21,22]', '[21,23]', 'entries_bytes', '136', '135'],
  ['page header', '"entries_bytes":135,', '"entries_bytes":4194305,', 'entries_bytes', 'integer 0..4194304', '4194305'],
  ['end of a pull', 'true', 'false', 'end', 'true', 'false'],
  ['end of a pull', '"has_more":false', '"has_more":0', 'has_more', 'boolean', '0'],
  ['error of a pull', '"busy"', '"tired"', 'error', 'one of busy, bad_request, unavailable', '"tired"'],
  ['hello', B32, 'AAAA', 'heads[0].root', 'base64 of 32 bytes', '"AAAA"'],
  ['watch update', '"length":4', '"length":null', 'feeds[0].length', `integer 0..${Number.MAX_SAFE_INTEGER}`, 'null'],
  ['relayed acknowledgements taken', '2', '17', 'taken', 'integer 0..16', '17'],
  ['inclusion request', '"inclusion"', '"exclusion"', 'kind', '"inclusion"', '"exclusion"'],
  ['inclusion request', '[1,2]', '"12"', 'indexes', 'array of at most 1024', '"12"'],
  ['tile request', '"level":1', '"level":7', 'level', 'integer 0..6', '7'],
  ['tile request', '"width":256', '"width":0', 'width', 'integer 1..256', '0'],
  ['inclusion answer', `["${B32}"]`, '7', 'proofs[0]', 'array of at most 64', '7'],
  ['inclusion answer', B32, 'x', 'proofs[0][0]', 'base64 of 32 bytes', '"x"'],
  ['tile answer', B32, '', 'hashes', 'base64 of 32..8192 bytes', '""'],
];

for (const [name, from, to, at, expected, got] of WRONG) {
  test(`${name}: ${at} as ${to.slice(0, 40)}`, () => {
    const message = MESSAGES[name];
    assert.ok(message !== undefined);
    assert.deepEqual(refusal(message.decode, message.text.replace(from, to)), { at, expected, got });
  });
}

test('an empty page has one header only', () => {
  const empty = {
    ...HEADER,
    indexes: [],
    lengths: [],
    entries_bytes: 0,
    proof_hashes: 0,
    encoding: 'identity' as const,
  };
  assert.ok(decodePageHeader(encodePageHeader(empty)).ok);
  assert.throws(() => encodePageHeader({ ...empty, proof_hashes: 1 }), TypeError);
  assert.throws(() => encodePageHeader({ ...empty, encoding: 'zstd' }), TypeError);
});

test('brackets inside texts are no nesting, behind an escaped quote neither', () => {
  const feeds = [`"${'['.repeat(20)}`, `\\${'{'.repeat(20)}`];
  const decoded = decodeWatchRequest(encodeWatchRequest({ feeds }));
  assert.ok(decoded.ok);
  assert.deepEqual(decoded.value.feeds, feeds);
});

test('what is not a message is not written', () => {
  assert.throws(() => encodeWatchRequest({ feeds: [''] }), /feeds\[0\]/);
  assert.throws(() => encodePullEnd({ error: 'busy', retry_after_ms: -1 }), /retry_after_ms/);
});

test('the end of an answer is told from a page header', () => {
  for (const [name, { bytes }] of Object.entries(MESSAGES)) {
    assert.equal(isPullEnd(bytes), name === 'end of a pull' || name === 'error of a pull', name);
  }
});
