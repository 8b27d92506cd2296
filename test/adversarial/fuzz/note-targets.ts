/** What is said about a log: notes on pages, receipts, cosignatures, policies, proofs, and the messages that carry them. */
import { appendSignature, cosign } from '../../../src/merkle/cosignature.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import {
  ALG_COSIGNATURE_V1,
  ALG_ED25519,
  formatNote,
  formatSignatureLine,
  parseNote,
  type SignedNote,
  signEd25519,
} from '../../../src/merkle/note.ts';
import { checkWitnessPolicy, parsePolicy, type WitnessPolicy } from '../../../src/merkle/tlog-policy.ts';
import { formatTlogProof, parseTlogProof } from '../../../src/merkle/tlog-proof.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import {
  formatAddCheckpoint,
  parseAddCheckpoint,
  parseCosignatures,
  parseStaleSize,
} from '../../../src/merkle/witness-body.ts';
import { judgeFactBundle } from '../../../src/verify/fact-bundle-verdict.ts';
import type { ReaderTrust } from '../../../src/verify/reader-trust.ts';
import { decodeFactBundle, encodeFactBundle, FACT_BUNDLE_KIND } from '../../../src/wire/fact-bundle.ts';
import { formatPageNote, isNoteOf, openPageNote, parsePageNote } from '../../../src/wire/page-note.ts';
import { formatReceipt, openReceipt, parseReceipt, signReceipt } from '../../../src/wire/page-receipt.ts';
import {
  decodeReceiptAnswer,
  decodeReceiptRequest,
  encodeReceiptAnswer,
  encodeReceiptRequest,
} from '../../../src/wire/receipt.ts';
import {
  decodeHeadAnswer,
  decodeRecoverRequest,
  encodeHeadAnswer,
  encodeRecoverRequest,
} from '../../../src/wire/recover.ts';
import { decodeKeysAnswer, encodeKeysAnswer } from '../../../src/wire/recover-keys.ts';
import {
  decodeWitnessAnswer,
  decodeWitnessRequest,
  encodeWitnessAnswer,
  encodeWitnessRequest,
} from '../../../src/wire/witness.ts';
import { fuzzPeer, message, PEER_ID } from './pure-targets.ts';
import { expect, type Target } from './target.ts';

const peer = fuzzPeer();
const log = { origin: peer.origin, key: peer.signer.publicKey };
const receiver = createLogSigner('globex.example/journal/00000000000000bb', Buffer.alloc(32, 3));
const witnesses = ['w1', 'w2', 'w3'].map((name, i) => createLogSigner(`${name}.example/w`, Buffer.alloc(32, 4 + i)));
const declaration = peer.declaration(createLogSigner(peer.nodeId, Buffer.alloc(32, 1)), PEER_ID);
const frames = peer.page({ feed: 'public', after: 0, count: 3 });
const pageNotes = [
  frames,
  peer.page({ feed: 'company/incident-42', after: 0 }),
  peer.page({ feed: 'public', after: peer.feedLength('public') }),
].map(({ note }) => Buffer.from(note ?? []));
const receipts = pageNotes.map((note, i) => {
  const page = { sender: peer.origin, feed: i === 1 ? 'company/incident-42' : 'public', after: i, to: i + 3 };
  return signReceipt({ ...page, accepted: 2, refused: i % 2 }, note.toString(), receiver);
});
const cosigned = witnesses.reduce((note, witness) => {
  const text = note.slice(0, note.indexOf('\n\n') + 1);
  return appendSignature(note, cosign(text, 1_800_000_000, witness));
}, peer.checkpoint());
const path = peer.consistency(3);
const HASH = peer.root().toString('base64');

const messages: readonly Target[] = [
  message(
    'recover-request',
    [
      encodeRecoverRequest({ kind: 'head', v: 1 }),
      encodeRecoverRequest({ kind: 'keys', v: 1 }),
      encodeRecoverRequest({ from: 41, kind: 'entries', skip: 64, v: 1 }),
    ],
    decodeRecoverRequest,
    encodeRecoverRequest,
  ),
  message(
    'recover-answer',
    [encodeHeadAnswer(peer.checkpoint()), encodeHeadAnswer(null)],
    decodeHeadAnswer,
    ({ checkpoint }) => encodeHeadAnswer(checkpoint),
  ),
  message(
    'recover-keys-answer',
    [encodeKeysAnswer([]), encodeKeysAnswer(['a statement', declaration])],
    decodeKeysAnswer,
    encodeKeysAnswer,
  ),
  message(
    'witness-request',
    [
      encodeWitnessRequest({ checkpoint: cosigned, kind: 'cosign', old: 3, proof: path, v: 1 }),
      encodeWitnessRequest({ heads: [peer.checkpoint()], kind: 'heads', logs: [HASH, HASH], salt: HASH, v: 1 }),
      encodeWitnessRequest({ kind: 'evidence', notes: [peer.checkpoint(3), peer.checkpoint()], path, v: 1 }),
      encodeWitnessRequest({ kind: 'evidence', notes: [], path: null, v: 1 }),
    ],
    decodeWitnessRequest,
    encodeWitnessRequest,
  ),
  message(
    'witness-answer',
    [
      encodeWitnessAnswer({ kind: 'cosigned', lines: cosigned.slice(cosigned.indexOf('\n\n') + 2), v: 1 }),
      encodeWitnessAnswer({ kind: 'stale', size: 12, v: 1 }),
      encodeWitnessAnswer({ code: 'bad_proof', kind: 'refused', v: 1 }),
      encodeWitnessAnswer({ heads: [peer.checkpoint(), peer.checkpoint(3)], kind: 'heads', v: 1 }),
      encodeWitnessAnswer({ kind: 'judged', v: 1, verdict: 'contradiction' }),
    ],
    decodeWitnessAnswer,
    encodeWitnessAnswer,
  ),
  message(
    'receipt-request',
    [encodeReceiptRequest({ receipts }), encodeReceiptRequest({ receipts: [] })],
    decodeReceiptRequest,
    encodeReceiptRequest,
  ),
  message('receipt-answer', [encodeReceiptAnswer({ taken: 64 })], decodeReceiptAnswer, encodeReceiptAnswer),
];

/** The text signed by a key; undefined where it is no text of a note. */
function signed(text: string, signer: typeof receiver): string | undefined {
  try {
    return formatNote({ text, signatures: [signEd25519(text, signer)] });
  } catch {
    return undefined;
  }
}

function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1);
}

const pageNote: Target = {
  name: 'page-note',
  corpus: pageNotes,
  run(input) {
    const opened = openPageNote(input, log);
    if (opened.ok) isNoteOf(opened.value, frames);
  },
};

/** Signed again by the right key: what lies behind the signature check is reached. */
const signedPageNote: Target = {
  name: 'signed-page-note',
  corpus: pageNotes.map((note) => Buffer.from(textOf(note.toString()))),
  run(input) {
    const text = input.toString('utf8');
    const parsed = parsePageNote(text);
    if (parsed.ok) expect(formatPageNote(parsed.value) === text, 'a page note has one text');
    const note = signed(text, peer.signer);
    const opened = note === undefined ? undefined : openPageNote(note, log);
    if (opened?.ok !== true) return;
    expect(parsed.ok && opened.value.origin === peer.origin, 'what is opened is what was parsed, of that log');
    isNoteOf(opened.value, frames);
  },
};

const receipt: Target = {
  name: 'receipt',
  corpus: receipts.map((note) => Buffer.from(note)),
  run(input) {
    openReceipt(input.toString('utf8'), { origin: receiver.name, key: receiver.publicKey });
  },
};

const signedReceipt: Target = {
  name: 'signed-receipt',
  corpus: receipts.map((note) => Buffer.from(textOf(note))),
  run(input) {
    const text = input.toString('utf8');
    const parsed = parseReceipt(text);
    if (parsed.ok) expect(formatReceipt(parsed.value) === text, 'a receipt has one text');
    const note = signed(text, receiver);
    const opened =
      note === undefined ? undefined : openReceipt(note, { origin: receiver.name, key: receiver.publicKey });
    if (opened?.ok !== true) return;
    const { after, to, accepted, refused } = opened.value;
    expect(parsed.ok && after < to && accepted + refused <= to - after, 'a receipt counts entries of its range');
  },
};

/** Bodies of the HTTP witness protocol. */
const witnessBody: Target = {
  name: 'witness-body',
  corpus: [
    formatAddCheckpoint({ oldSize: 3, path: path.map((hash) => Buffer.from(hash, 'base64')), checkpoint: cosigned }),
    formatAddCheckpoint({ oldSize: 0, path: [], checkpoint: peer.checkpoint() }),
    cosigned.slice(cosigned.indexOf('\n\n') + 2),
    '12\n',
  ].map((text) => Buffer.from(text)),
  run(input) {
    const text = input.toString('utf8');
    const body = parseAddCheckpoint(text);
    if (body.ok) expect(formatAddCheckpoint(body.value) === text, 'a request has one text');
    const lines = parseCosignatures(text);
    if (lines !== undefined) expect(lines.map(formatSignatureLine).join('') === text, 'cosignatures have one text');
    const size = parseStaleSize(text);
    if (size !== undefined) expect(`${size}\n` === text, 'a size has one text');
  },
};

const POLICY = [
  '# two of three, one of which is alone',
  `log ${formatVerifierKey({ name: log.origin, algorithm: ALG_ED25519, publicKey: log.key })} https://acme.example/`,
  ...witnesses.map(
    ({ name, publicKey }, i) =>
      `witness w${i} ${formatVerifierKey({ name, algorithm: ALG_COSIGNATURE_V1, publicKey })}`,
  ),
  'group two any w0 w1',
  '\tgroup both  2 two w2',
  'quorum both',
].join('\n');
const parsedNote = parseNote(cosigned);
if (!parsedNote.ok) throw new Error(parsedNote.error);
const note: SignedNote = parsedNote.value;

/** The policy with nothing in it that has no meaning. */
function policyText({ logs, witnesses: named, groups, quorum }: WitnessPolicy): string {
  const line = (...words: readonly (string | number | null)[]): string =>
    words.filter((word) => word !== null).join(' ');
  return [
    ...logs.map(({ vkey, url }) => line('log', vkey, url)),
    ...named.map(({ name, vkey, url }) => line('witness', name, vkey, url)),
    ...groups.map(({ name, threshold, members }) => line('group', name, threshold, ...members)),
    line('quorum', quorum),
  ].join('\n');
}

const policy: Target = {
  name: 'tlog-policy',
  corpus: [POLICY, POLICY.replace('quorum both', 'quorum none')].map((text) => Buffer.from(text)),
  run(input) {
    const parsed = parsePolicy(input.toString('utf8'));
    if (!parsed.ok) return expect(parsed.error.message.length < 1_000, 'a refusal is short');
    const again = parsePolicy(policyText(parsed.value));
    expect(again.ok && policyText(again.value) === policyText(parsed.value), 'a policy written is read as the same');
    const judged = checkWitnessPolicy(parsed.value, note);
    expect(judged.ok || judged.error.missing.length > 0, 'a quorum that is not met says who is missing');
  },
};

const proof: Target = {
  name: 'tlog-proof',
  corpus: [0, 7, peer.size - 1].map((index) =>
    Buffer.from(formatTlogProof({ index, path: peer.inclusion(index), checkpoint: cosigned })),
  ),
  run(input) {
    const parsed = parseTlogProof(input);
    if (parsed.ok) expect(input.equals(Buffer.from(formatTlogProof(parsed.value))), 'a proof has one text');
  },
};

const nodeKey = createLogSigner(peer.nodeId, Buffer.alloc(32, 1)).publicKey;
const trust: ReaderTrust = { logs: [], nodes: [{ nodeId: peer.nodeId, nodeKey }], policy: null, anchors: null };

const factBundle: Target = {
  name: 'fact-bundle',
  corpus: peer.entries.map(({ index, salt, bytes }) =>
    Buffer.from(
      encodeFactBundle({
        anchors: [],
        declaration,
        entry: Buffer.from(bytes).toString('utf8'),
        kind: FACT_BUNDLE_KIND,
        origin: null,
        proof: formatTlogProof({ index, path: peer.inclusion(index), checkpoint: peer.checkpoint() }),
        salt: Buffer.from(salt).toString('base64'),
      }),
    ),
  ),
  run(input) {
    const decoded = decodeFactBundle(input);
    if (decoded.ok) expect(input.equals(Buffer.from(encodeFactBundle(decoded.value))), 'a bundle has one text');
    const judged = judgeFactBundle(input, trust);
    expect(decoded.ok || !judged.ok, 'what is no bundle proves nothing');
  },
};

export const NOTE_TARGETS: readonly Target[] = [
  ...messages,
  pageNote,
  signedPageNote,
  receipt,
  signedReceipt,
  witnessBody,
  policy,
  proof,
  factBundle,
];
