/** Decoders and rules that do no I/O. Where a value comes out, it must encode to the very bytes that went in. */
import { readAssert } from '../../../src/admin/api/assert-request.ts';
import { addressFault, nodeIdFault, peerIdFault } from '../../../src/config/checks.ts';
import { readGrantText } from '../../../src/config/grant.ts';
import { parseCid } from '../../../src/core/cid.ts';
import { normalizeEntity } from '../../../src/core/entity.ts';
import { decodeEntry, encodeEntry } from '../../../src/core/entry.ts';
import { parseStrictHlc } from '../../../src/core/hlc.ts';
import { jsonText, parseJson } from '../../../src/core/json.ts';
import { MAX_VALUE_BYTES } from '../../../src/core/limits.ts';
import { decodeLenientBase64 } from '../../../src/core/reference/base64url.ts';
import { parseReferenceHlc } from '../../../src/core/reference/lenient-hlc.ts';
import { parsePythonFloat, parsePythonInt } from '../../../src/core/reference/python-number.ts';
import { checkSdkProof } from '../../../src/core/reference/sdk-proof.ts';
import { parseFeed } from '../../../src/core/scope.ts';
import { parseIsoInstant } from '../../../src/core/time.ts';
import { isValidUntilExtension } from '../../../src/core/valid-until.ts';
import { decodeValue, VALUE_TYPES } from '../../../src/core/value.ts';
import { EPOCH_MS } from '../../../src/drill/peer-log.ts';
import { formatCheckpoint, openCheckpoint, parseCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { appendSignature, checkCosignature, cosign, cosignatureVerifier } from '../../../src/merkle/cosignature.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { decodeEntryBundle, encodeEntryBundle } from '../../../src/merkle/entry-bundle.ts';
import { formatFeedHead, openFeedHead, parseFeedHead } from '../../../src/merkle/feed-head.ts';
import {
  ALG_COSIGNATURE_V1,
  ALG_ECDSA,
  ALG_ED25519,
  ed25519Verifier,
  formatNote,
  parseNote,
  signEd25519,
  verifyNote,
} from '../../../src/merkle/note.ts';
import { formatVerifierKey, noteVerifier, parseVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { verifyAssertion } from '../../../src/verify/assertion.ts';
import {
  decodeClosureAnswer,
  decodeClosureRequest,
  encodeClosureAnswer,
  encodeClosureRequest,
  signClosure,
} from '../../../src/wire/closure.ts';
import { openDeclaration } from '../../../src/wire/declaration.ts';
import { decodeHello, encodeHello } from '../../../src/wire/hello.ts';
import {
  decodeProofAnswer,
  decodeProofRequest,
  encodeProofAnswer,
  encodeProofRequest,
  type ProofRequest,
} from '../../../src/wire/proof.ts';
import { PROTOCOLS } from '../../../src/wire/protocols.ts';
import { decodePullEnd, encodePullEnd, isPullEnd } from '../../../src/wire/pull-end.ts';
import { decodePullRequest, encodePullRequest, type PullRequest } from '../../../src/wire/pull-request.ts';
import {
  decodeNoticeAnswer,
  decodeNoticeRequest,
  encodeNoticeAnswer,
  encodeNoticeRequest,
  signNotice,
} from '../../../src/wire/refusal-notice.ts';
import {
  decodeWatchRequest,
  decodeWatchUpdate,
  encodeWatchRequest,
  encodeWatchUpdate,
} from '../../../src/wire/watch.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { expect, type Target } from './target.ts';

const SEED = Buffer.alloc(32, 1);
export const PEER_ID = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5';

/** Facts of every shape, some under gardens, in three feeds. */
export function fuzzPeer(): HonestPeer {
  const peer = new HonestPeer();
  peer.appendMany(9, (i) => ({ scope: i % 3 === 0 ? 'company' : 'public', confidence: i / 10 }));
  peer.append({ value_type: 'number', value_v: '12345678901234567890.5', valid_until: '2027-01-01T00:00:00Z' });
  peer.append({ scope: 'company', garden_id: 'incident-42', derived_from: [`sha256:${'0'.repeat(64)}`, 'x'] });
  peer.append({ attestation: { key_id: 'k', signature: 'c2ln' }, value_v: '“naïve” \u{1f600} \n\t\\ "' });
  return peer;
}

const peer = fuzzPeer();
const nodeSigner = createLogSigner(peer.nodeId, SEED);
const node = { nodeId: peer.nodeId, nodeKey: nodeSigner.publicKey };
const log = { origin: peer.origin, key: peer.signer.publicKey };
const witness = createLogSigner('witness.example/w1', Buffer.alloc(32, 2));
const declaration = peer.declaration(nodeSigner, PEER_ID);

/** A message: what is taken is encoded by the one text that was given, what is refused says why within bounds. */
export function message<T>(
  name: string,
  corpus: readonly Uint8Array[],
  decode: (
    bytes: Uint8Array,
  ) => { ok: true; value: T } | { ok: false; error: { at: string; expected: string; got: string } },
  encode: (value: T) => Uint8Array,
): Target {
  return {
    name,
    corpus: corpus.map((bytes) => Buffer.from(bytes)),
    run(input) {
      const decoded = decode(input);
      if (decoded.ok) return expect(input.equals(encode(decoded.value)), 'what is taken has one encoding');
      const { at, expected, got } = decoded.error;
      expect(at.length < 300 && expected.length < 1_000 && got.length < 1_000, 'a refusal is short');
    },
  };
}

const asks: readonly ProofRequest[] = [
  { indexes: [0, 2, 11], kind: 'inclusion', size: 12, v: 1 },
  { from: 2, kind: 'consistency', to: 12, v: 1 },
  { index: 0, kind: 'tile', level: 0, v: 1, width: 12 },
];

const pulls: readonly Omit<PullRequest, 'v'>[] = [
  {
    accept: ['zstd'],
    feeds: [{ after: 0, feed: 'public' }],
    known_size: 0,
    page_bytes: 524_288,
    page_entries: 5,
    pages: 64,
  },
  {
    accept: [],
    feeds: ['public', 'company', 'company/incident-42'].map((feed, after) => ({ after, feed })),
    known_size: 3,
    page_bytes: 65_536,
    page_entries: 1,
    pages: 2,
  },
];
export const PULL_REQUESTS: readonly Buffer[] = pulls.map((request) => Buffer.from(encodePullRequest(request)));
export const PROOF_REQUESTS: readonly Buffer[] = asks.map((ask) => Buffer.from(encodeProofRequest(ask)));
export const WATCH_REQUESTS: readonly Buffer[] = [
  Buffer.from(encodeWatchRequest({ feeds: ['public', 'company/incident-42'] })),
];

const CLOSURE = signClosure(
  { receiver: 'stigmem://globex.example', feed: 'public', to: 3, treeSize: 5, closedAt: '2026-02-01T00:00:00.000Z' },
  peer.signer,
);

const HASH = `sha256:${'0'.repeat(64)}`;
const NOTICE_AT = '2026-02-01T00:00:00.000Z';
const NOTICE = signNotice(
  {
    author: 'stigmem://globex.example',
    feed: 'public',
    reason: 'cid_mismatch',
    number: 41,
    refused: 3,
    resolved: 1,
    at: NOTICE_AT,
    entries: [
      {
        at: NOTICE_AT,
        chain_seq: 9,
        cid: HASH,
        difference: { claimed: HASH, computed: null, field: 'cid' },
        evidence: HASH,
        feed_seq: 7,
      },
    ],
  },
  peer.signer,
);

const messages: readonly Target[] = [
  message('pull-request', PULL_REQUESTS, decodePullRequest, encodePullRequest),
  message('proof-request', PROOF_REQUESTS, decodeProofRequest, encodeProofRequest),
  message(
    'proof-answer',
    asks.map((ask) => encodeProofAnswer(peer.answerProof(ask))),
    decodeProofAnswer,
    encodeProofAnswer,
  ),
  message(
    'closure-request',
    [encodeClosureRequest({ feeds: ['public', 'company/incident-42'] })],
    decodeClosureRequest,
    encodeClosureRequest,
  ),
  message(
    'closure-answer',
    [encodeClosureAnswer({ closures: [CLOSURE] }), encodeClosureAnswer({ closures: [] })],
    decodeClosureAnswer,
    encodeClosureAnswer,
  ),
  message(
    'notice-request',
    [encodeNoticeRequest({ notices: [NOTICE, NOTICE] }), encodeNoticeRequest({ notices: [] })],
    decodeNoticeRequest,
    encodeNoticeRequest,
  ),
  message('notice-answer', [encodeNoticeAnswer({ taken: 2 })], decodeNoticeAnswer, encodeNoticeAnswer),
  message('watch-request', WATCH_REQUESTS, decodeWatchRequest, encodeWatchRequest),
  message(
    'watch-update',
    [
      encodeWatchUpdate({ feeds: [{ feed: 'public', length: 7 }], size: 12 }),
      encodeWatchUpdate({ feeds: [], size: 0 }),
    ],
    decodeWatchUpdate,
    encodeWatchUpdate,
  ),
  message(
    'hello',
    [
      encodeHello({
        clock_ms: EPOCH_MS,
        declaration,
        heads: [{ origin: peer.origin, root: peer.root().toString('base64'), size: peer.size }],
        protocols: PROTOCOLS,
        software: 'stigmem-peerd/0.1.0',
        successions: [declaration],
      }),
    ],
    decodeHello,
    encodeHello,
  ),
  message(
    'pull-end',
    [encodePullEnd({ end: true, has_more: true }), encodePullEnd({ error: 'busy', retry_after_ms: 1_000 })],
    (bytes) => {
      isPullEnd(bytes);
      return decodePullEnd(bytes);
    },
    encodePullEnd,
  ),
];

const entry: Target = {
  name: 'entry',
  corpus: peer.entries.map(({ bytes }) => Buffer.from(bytes)),
  run(input) {
    const decoded = decodeEntry(input);
    if (decoded.ok) expect(input.equals(Buffer.from(encodeEntry(decoded.value))), 'an entry has one encoding');
  },
};

const cosigned = appendSignature(
  peer.checkpoint(),
  cosign(`${peer.checkpoint().split('\n\n')[0]}\n`, 1_800_000_000, witness),
);
const NOTES = [
  peer.checkpoint(),
  peer.checkpoint(3),
  peer.feedHead('public'),
  peer.feedHead('company/incident-42'),
  declaration,
  cosigned,
];

const note: Target = {
  name: 'note',
  corpus: NOTES.map((text) => Buffer.from(text)),
  run(input) {
    openCheckpoint(input, log);
    openFeedHead(input, log);
    openDeclaration(input, node);
    const parsed = parseNote(input);
    if (!parsed.ok) return;
    expect(input.equals(Buffer.from(formatNote(parsed.value))), 'a note has one text');
    verifyNote(parsed.value, [
      ed25519Verifier(log.origin, log.key),
      cosignatureVerifier(witness.name, witness.publicKey),
    ]);
    checkCosignature(parsed.value, { name: witness.name, key: witness.publicKey });
  },
};

/** The text is changed before it is signed: what lies behind the signature check is reached. */
const signedText: Target = {
  name: 'signed-text',
  corpus: NOTES.map((text) => Buffer.from(text.slice(0, text.lastIndexOf('\n\n') + 1))),
  run(input) {
    const given = input.toString('utf8');
    const text = given.endsWith('\n') ? given : `${given}\n`;
    for (const signer of [peer.signer, nodeSigner]) {
      let signed: string;
      try {
        signed = formatNote({ text, signatures: [signEd25519(text, signer)] });
      } catch {
        return; // no text of a note
      }
      const checkpoint = openCheckpoint(signed, log);
      if (checkpoint.ok) {
        const { origin, size, root } = checkpoint.value;
        expect(formatCheckpoint(origin, size, root) === text, 'a checkpoint has one text');
      }
      const head = openFeedHead(signed, log);
      if (head.ok) expect(formatFeedHead(head.value) === text, 'a feed head has one text');
      openDeclaration(signed, node);
    }
    parseCheckpoint(text);
    parseFeedHead(text);
  },
};

const vkey: Target = {
  name: 'vkey',
  corpus: [
    formatVerifierKey({ name: log.origin, algorithm: ALG_ED25519, publicKey: log.key }),
    formatVerifierKey({ name: witness.name, algorithm: ALG_COSIGNATURE_V1, publicKey: witness.publicKey }),
    formatVerifierKey({ name: 'p256', algorithm: ALG_ECDSA, publicKey: Buffer.alloc(91, 3) }),
  ].map((text) => Buffer.from(text)),
  run(input) {
    const text = input.toString('utf8');
    const parsed = parseVerifierKey(text);
    if (!parsed.ok) return;
    expect(formatVerifierKey(parsed.value) === text, 'a verifier key has one text');
    const verifier = noteVerifier(parsed.value);
    if (verifier.ok) verifier.value.verify(input, input);
  },
};

const bundle: Target = {
  name: 'entry-bundle',
  corpus: [encodeEntryBundle(peer.entries.map(({ leaf }) => leaf)), encodeEntryBundle([])],
  run(input) {
    const decoded = decodeEntryBundle(input);
    if (decoded.ok) expect(input.equals(encodeEntryBundle(decoded.value)), 'a bundle has one encoding');
  },
};

export const FACTS: readonly Buffer[] = [
  {
    entity: 'stigmem://acme.example/service/s1',
    relation: 'ops:owner',
    value: { type: 'string', v: 'alice' },
    source: 'agent:a',
    scope: 'public',
  },
  {
    entity: 'User:Ärger',
    relation: 'r',
    value: { type: 'number', v: 5.25 },
    source: 'agent:b',
    confidence: 0.5,
    valid_until: '2027-01-01T00:00:00Z',
  },
  {
    entity: 'a:b',
    relation: 'r:s',
    value: { type: 'text', v: 'x', interpret_as: 'content' },
    source: 's',
    scope: 'company',
    garden_id: 'incident-42',
  },
  {
    entity: 'a:b',
    relation: 'r:s',
    value: { type: 'boolean', v: true },
    source: 's',
    derived_from: [{ fact_id: 'x' }, { hash: `sha256:${'0'.repeat(64)}` }],
  },
  {
    entity: 'a:b',
    relation: 'r:s',
    value: { type: 'null' },
    source: 's',
    attestation: { key_id: 'k', signature: 's' },
    write_mode: 'assert',
  },
].map((fact) => Buffer.from(JSON.stringify(fact)));

const json: Target = {
  name: 'json',
  corpus: [...FACTS, Buffer.from('[1,2.0,-0,1e5,NaN,-Infinity,"\\ud800\\u00e9",{"a":{"a":1,"a":2}},null,true]')],
  run(input) {
    const parsed = parseJson(input.toString('utf8'));
    if (!parsed.ok) return expect(parsed.error.expected.length + parsed.error.got.length < 1_000, 'a refusal is short');
    const again = parseJson(jsonText(parsed.value));
    expect(again.ok && jsonText(again.value) === jsonText(parsed.value), 'a value written is read as the same value');
  },
};

const assertion: Target = {
  name: 'assertion',
  corpus: FACTS,
  run(input) {
    const parsed = parseJson(input.toString('utf8'), { maxDepth: 19 });
    if (!parsed.ok) return;
    const read = readAssert(parsed.value, ['body']);
    if (!read.ok) return void JSON.stringify(read.error);
    const context = {
      nodeAuthority: 'acme.example',
      nowMs: EPOCH_MS,
      maxValueBytes: MAX_VALUE_BYTES,
      mayWriteInstructions: true,
    };
    const verified = verifyAssertion(read.value.request, context);
    if (!verified.ok) return void JSON.stringify(verified.error);
    decodeValue(verified.value.body.value_type, verified.value.body.value_v);
  },
};

/** Short texts: names, times, clocks, addresses, numbers. */
const names: Target = {
  name: 'names',
  corpus: [
    'stigmem://acme.example/service/s1',
    PEER_ID,
    `/ip4/127.0.0.1/tcp/4101/p2p/${PEER_ID}`,
    '/dns4/peerd.acme.example/tcp/4101',
    'company/incident-42',
    'company/incident-42,not_before=2027-01-01T00:00:00Z',
    '2026-01-01T00:00:00.123456+01:00',
    '2026-W01-1T10:00Z',
    '1767225600000.007',
    `sha256:${'ab'.repeat(32)}`,
    '-1_000.5e+10',
    '  ١٢٣ ',
    'YWJjZA==',
    '{"tenant_id":"default","checked_entries":3,"head_hash":"sha256:x","checkpoint":null}',
  ].map((text) => Buffer.from(text)),
  run(input) {
    const text = input.toString(input.length % 2 === 0 ? 'utf8' : 'utf16le');
    normalizeEntity(text);
    nodeIdFault(text);
    addressFault(text);
    peerIdFault(text);
    parseFeed(text);
    readGrantText(text);
    parseIsoInstant(text);
    isValidUntilExtension(text, '2027-01-01T00:00:00Z');
    isValidUntilExtension('2027-01-01T00:00:00Z', text);
    parseStrictHlc(text);
    parseReferenceHlc(text);
    parsePythonInt(text);
    parsePythonFloat(text);
    decodeLenientBase64(text);
    checkSdkProof(text, true);
    parseCid(text);
    for (const type of VALUE_TYPES) decodeValue(type, text);
  },
};

export const PURE_TARGETS: readonly Target[] = [
  entry,
  ...messages,
  note,
  signedText,
  vkey,
  bundle,
  json,
  assertion,
  names,
];
