/**
 * The bytes that docs/PROTOCOL.md shows, made by running the code: one small journal, fixed keys, every message once.
 * `node test/support/protocol-examples.ts` brings the page up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as varint from 'uint8-varint';
import { EPOCH_MS } from '../../src/drill/peer-log.ts';
import { encodeBase64 } from '../../src/merkle/base64.ts';
import { cosign } from '../../src/merkle/cosignature.ts';
import { createLogSigner, type LogSigner } from '../../src/merkle/ed25519.ts';
import { ALG_ED25519, formatSignatureLine, signEd25519 } from '../../src/merkle/note.ts';
import { formatVerifierKey } from '../../src/merkle/verifier-key.ts';
import { identityFromSeed, rawKeyOf } from '../../src/transport/identity.ts';
import { encodeClosureAnswer, encodeClosureRequest, signClosure } from '../../src/wire/closure.ts';
import { encodeHello } from '../../src/wire/hello.ts';
import { encodeInviteAnswer, encodeInviteRequest, signJoin } from '../../src/wire/invite.ts';
import { encodeInviteCode, guestSeedOf } from '../../src/wire/invite-code.ts';
import { encodeKeepAnswer, encodeKeepRequest, type SealedNote } from '../../src/wire/keep.ts';
import type { PageFrames, SignedPageFrames } from '../../src/wire/page.ts';
import { signReceipt } from '../../src/wire/page-receipt.ts';
import { signPeerNote } from '../../src/wire/peer-note.ts';
import { encodeProofAnswer, encodeProofRequest, type ProofRequest } from '../../src/wire/proof.ts';
import { PROTOCOLS, PULL_PROTOCOL } from '../../src/wire/protocols.ts';
import { encodePullEnd } from '../../src/wire/pull-end.ts';
import { encodePullRequest } from '../../src/wire/pull-request.ts';
import { encodeReceiptAnswer, encodeReceiptRequest } from '../../src/wire/receipt.ts';
import { encodeHeadAnswer, encodeRecoverRequest } from '../../src/wire/recover.ts';
import { encodeKeysAnswer } from '../../src/wire/recover-keys.ts';
import { encodeNotesAnswer } from '../../src/wire/recover-notes.ts';
import { encodeNoticeAnswer, encodeNoticeRequest, signNotice } from '../../src/wire/refusal-notice.ts';
import { encodePermitAnswer, encodePermitRequest } from '../../src/wire/relay-permit.ts';
import { encodeRelayedAckAnswer } from '../../src/wire/relayed-ack.ts';
import { restoreNoteKey, sealRestoreNote } from '../../src/wire/restore-note.ts';
import { signSuccession } from '../../src/wire/succession.ts';
import { encodeWatchRequest, encodeWatchUpdate } from '../../src/wire/watch.ts';
import {
  encodeWitnessAnswer,
  encodeWitnessRequest,
  logToken,
  type WitnessAnswer,
  type WitnessRequest,
} from '../../src/wire/witness.ts';
import { HonestPeer } from './honest-peer.ts';
import { RelayLog } from './relay-log.ts';

export const PAGE: string = resolve(import.meta.dirname, '../../docs/PROTOCOL.md');

/** Five facts, of which the second and the fourth are not public. */
export function examplePeer(): HonestPeer {
  const peer = new HonestPeer();
  for (const scope of ['public', 'company', 'public', 'company', 'public']) peer.append({ scope, value_v: 'up' });
  return peer;
}

export const EXAMPLE_SEED: Buffer = Buffer.alloc(32, 1);
const STATIC_KEY = Buffer.alloc(32, 9);

export function exampleIdentity(): Promise<Awaited<ReturnType<typeof identityFromSeed>>> {
  return identityFromSeed(EXAMPLE_SEED);
}

/** Name -> the text of the code block. */
export async function examples(): Promise<ReadonlyMap<string, string>> {
  const peer = examplePeer();
  const { peerId } = await exampleIdentity();
  const nodeSigner = createLogSigner(peer.nodeId, EXAMPLE_SEED);
  const declaration = peer.declaration(nodeSigner, peerId);
  const pull = encodePullRequest({
    accept: [],
    feeds: [{ after: 1, feed: 'public' }],
    known_size: 2,
    page_bytes: 524_288,
    page_entries: 1_000,
    pages: 64,
  });
  const page = peer.page({ feed: 'public', after: 1, knownSize: 2 });
  const empty = peer.page({ feed: 'public', after: 3, knownSize: null });
  const ask: Record<string, ProofRequest> = {
    inclusion: { indexes: [2, 4], kind: 'inclusion', size: 5, v: 1 },
    consistency: { from: 2, kind: 'consistency', to: 5, v: 1 },
    tile: { index: 0, kind: 'tile', level: 0, v: 1, width: 2 },
  };
  const proofs = Object.entries(ask).flatMap(([kind, request]): [string, string][] => [
    [`proof-request-${kind}`, text(encodeProofRequest(request))],
    [`proof-answer-${kind}`, text(encodeProofAnswer(peer.answerProof(request)))],
  ]);
  return new Map([
    ['peer-id', peerIdExample(peerId)],
    ['noise-payload', noisePayload(nodeSigner)],
    ['stream', streamExample(pull)],
    ['keys', keysExample(peer, peerId)],
    ['declaration', declaration.trimEnd()],
    ['hello', text(encodeHello(helloOf(declaration)))],
    ['pull-request', text(pull)],
    ['page-header', text(page.header)],
    ['page-entries', entriesOf(page).trimEnd()],
    ['page-proof', hex(page.proof ?? new Uint8Array(0), 32)],
    ['page-note', text(page.note ?? new Uint8Array(0)).trimEnd()],
    ['page-empty', text(empty.header)],
    ['page-empty-note', text(empty.note ?? new Uint8Array(0)).trimEnd()],
    ['pull-end', text(encodePullEnd({ end: true, has_more: false }))],
    ['pull-error', text(encodePullEnd({ error: 'unavailable', retry_after_ms: 60_000 }))],
    ['watch-request', text(encodeWatchRequest({ feeds: ['public', 'company/incident-42'] }))],
    ['watch-update', text(encodeWatchUpdate({ feeds: [{ feed: 'public', length: 3 }], size: 5 }))],
    ['recover-request-head', text(encodeRecoverRequest({ kind: 'head', v: 1 }))],
    ['recover-answer-head', text(encodeHeadAnswer(peer.checkpoint()))],
    ['recover-request-keys', text(encodeRecoverRequest({ kind: 'keys', v: 1 }))],
    ['recover-answer-keys', text(encodeKeysAnswer([successionExample(peer)]))],
    ['recover-request-entries', text(encodeRecoverRequest({ from: 2, kind: 'entries', skip: 0, v: 1 }))],
    [
      'recover-request-notes',
      text(encodeRecoverRequest({ feeds: [{ after: 1, feed: 'public' }], kind: 'notes', skip: 0, v: 1 })),
    ],
    ['recover-answer-notes', text(encodeNotesAnswer([SEALED]))],
    ['keep-request', text(encodeKeepRequest([SEALED]))],
    ['keep-answer', text(encodeKeepAnswer(1))],
    ...receiptExamples(page),
    ...closureExamples(peer),
    ...noticeExamples(),
    ...relayExamples(),
    ...proofs,
    ...witnessExamples(peer),
    ...(await inviteExamples(peer, declaration)),
  ]);
}

/** The node of the other examples relays one fact of another. */
function relayExamples(): [string, string][] {
  const log = new RelayLog({
    facts: 1,
    origin: new HonestPeer({ authority: 'initech.example', journal: '00000000000000cc' }),
  });
  return [
    ['relay-request', text(encodePermitRequest())],
    ['relay-answer', text(encodePermitAnswer(log.permit()))],
    ['relay-header', text(log.page().header)],
    ['erasure-relay-answer', text(encodeRelayedAckAnswer(1))],
  ];
}

/** The node of the other examples invites, and joins itself: only the bytes matter here. */
async function inviteExamples(peer: HonestPeer, declaration: string): Promise<[string, string][]> {
  const { peerId, publicKey } = await exampleIdentity();
  const signer = createLogSigner(peer.nodeId, EXAMPLE_SEED);
  const addresses = ['/dns4/peerd.acme.example/tcp/4101'];
  const code = {
    nodeKey: publicKey,
    secret: Buffer.alloc(16, 4),
    expiresS: EPOCH_MS / 1000 + 3_600,
    authority: peer.authority,
    addresses,
    share: ['public'],
    accept: ['public'],
    untilS: null,
  };
  const guest = await identityFromSeed(guestSeedOf(code));
  const note = signPeerNote({ addresses, declaration, peer_id: peerId }, signer);
  const self = { ...hintsOf(), entries: 3, peer: note };
  const join = signJoin({ inviterPeerId: peerId, guestPeerId: guest.peerId, peer: note }, signer);
  return [
    ['invite-code', encodeInviteCode(code)],
    ['peer-note', note.trimEnd()],
    ['invite-request', text(encodeInviteRequest({ ...self, join }))],
    ['invite-answer', text(encodeInviteAnswer(self))],
  ];
}

function hintsOf(): { clock_ms: number; protocols: readonly string[]; software: string } {
  return { clock_ms: EPOCH_MS, protocols: PROTOCOLS, software: 'stigmem-peerd/0.1.0' };
}
/** About a page of one entry, under a fixed key. */
const SEALED: SealedNote = (() => {
  const hash = Buffer.alloc(32, 4);
  const head = { firstSeq: 7, firstFeedSeq: 1, createdUs: EPOCH_MS * 1000, previousHash: hash, digest: hash };
  const range = {
    receiver: 'stigmem://globex.example',
    sender: 'stigmem://acme.example',
    feed: 'public',
    after: 1,
    to: 2,
  };
  const note = { ...head, entries: [{ place: 0, salt: hash }] };
  const sealed = sealRestoreNote(note, range, restoreNoteKey(hash), Buffer.alloc(12, 5));
  return { after: 1, feed: 'public', sealed: sealed.toString('base64'), to: 2 };
})();

function receiptExamples({ note }: SignedPageFrames): [string, string][] {
  const { signer } = new HonestPeer({ authority: 'globex.example', journal: '00000000000000bb' });
  const told = { sender: new HonestPeer().origin, feed: 'public', after: 1, to: 3, accepted: 2, refused: 0 };
  const receipt = signReceipt(told, text(note ?? new Uint8Array(0)), signer);
  return [
    ['receipt-request', text(encodeReceiptRequest({ receipts: [receipt] }))],
    ['receipt-answer', text(encodeReceiptAnswer({ taken: 1 }))],
  ];
}

function closureExamples({ signer }: HonestPeer): [string, string][] {
  const receiver = 'stigmem://globex.example';
  const end = { receiver, feed: 'public', to: 3, treeSize: 5, closedAt: '2026-02-01T00:00:00.000Z' };
  return [
    ['closure-request', text(encodeClosureRequest({ feeds: ['public', 'company/incident-42'] }))],
    ['closure-answer', text(encodeClosureAnswer({ closures: [signClosure(end, signer)] }))],
  ];
}

function noticeExamples(): [string, string][] {
  const { signer } = new HonestPeer({ authority: 'globex.example', journal: '00000000000000bb' });
  const at = '2026-02-01T00:00:00.000Z';
  const hash = `sha256:${'0'.repeat(64)}`;
  const difference = { claimed: 'stigmem://hooli.example/agent/x', computed: 'acme.example', field: 'source' };
  const entry = { at, chain_seq: 5, cid: hash, difference, evidence: hash, feed_seq: 3 };
  const group = { author: new HonestPeer().nodeId, feed: 'public', reason: 'source_not_owned' };
  const notice = signNotice({ ...group, number: 41, refused: 1, resolved: 0, at, entries: [entry] }, signer);
  return [
    ['notice-request', text(encodeNoticeRequest({ notices: [notice] }))],
    ['notice-answer', text(encodeNoticeAnswer({ taken: 1 }))],
  ];
}

const WITNESS = createLogSigner('globex.example/witness', Buffer.alloc(32, 2));
const SALT = encodeBase64(Buffer.alloc(32, 3));

function witnessExamples(peer: HonestPeer): [string, string][] {
  const checkpoint = peer.checkpoint();
  const line = formatSignatureLine(
    cosign(checkpoint.slice(0, checkpoint.indexOf('\n\n') + 1), EPOCH_MS / 1000, WITNESS),
  );
  const other = peer.fork(2).appendMany(3).checkpoint();
  const requests: Record<string, WitnessRequest> = {
    cosign: { checkpoint, kind: 'cosign', old: 2, proof: peer.consistency(2), v: 1 },
    heads: { heads: [], kind: 'heads', logs: [logToken(SALT, peer.origin)], salt: SALT, v: 1 },
    evidence: { kind: 'evidence', notes: [checkpoint, other], path: null, v: 1 },
  };
  const answers: Record<string, WitnessAnswer> = {
    busy: { kind: 'busy', retry_after_ms: 1728, v: 1 },
    cosigned: { kind: 'cosigned', lines: line, v: 1 },
    stale: { kind: 'stale', size: 3, v: 1 },
    refused: { code: 'bad_proof', kind: 'refused', v: 1 },
    heads: { heads: [checkpoint], kind: 'heads', v: 1 },
    judged: { kind: 'judged', v: 1, verdict: 'contradiction' },
  };
  return [
    ...Object.entries(requests).map(([kind, one]): [string, string] => [
      `witness-request-${kind}`,
      text(encodeWitnessRequest(one)),
    ]),
    ...Object.entries(answers).map(([kind, one]): [string, string] => [
      `witness-answer-${kind}`,
      text(encodeWitnessAnswer(one)),
    ]),
  ];
}

function helloOf(declaration: string): Parameters<typeof encodeHello>[0] {
  return {
    ...hintsOf(),
    declaration,
    heads: [],
    successions: [],
  };
}

function keysExample(peer: HonestPeer, peerId: string): string {
  return [
    `identity seed   ${EXAMPLE_SEED.toString('hex')}`,
    `identity key    ${Buffer.from(rawKeyOf(peerId)).toString('hex')}`,
    `peer id         ${peerId}`,
    `log key         ${encodeBase64(peer.signer.publicKey)}`,
    `origin          ${peer.origin}`,
  ].join('\n');
}

/** A log key that another one takes the place of. */
function successionExample({ nodeId, origin, signer }: HonestPeer): string {
  const next = createLogSigner(origin, Buffer.alloc(32, 2));
  const vkeyOf = ({ publicKey }: LogSigner): string =>
    formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey });
  const [effective_at, overlap_until] = ['2026-01-01T00:00:00.000000+00:00', '2026-01-08T00:00:00.000000+00:00'];
  const said = { use: 'log', old: vkeyOf(signer), new: vkeyOf(next), effective_at, overlap_until } as const;
  return signSuccession(nodeId, said, {
    old: (signed) => signEd25519(signed, signer),
    new: (signed) => signEd25519(signed, next),
  });
}

function peerIdExample(peerId: string): string {
  const key = Buffer.from(rawKeyOf(peerId));
  return [`key      ${key.toString('hex')}`, `hashed   002408011220${key.toString('hex')}`, `peer id  ${peerId}`].join(
    '\n',
  );
}

function noisePayload(identity: { readonly publicKey: Uint8Array; sign(message: Uint8Array): Uint8Array }): string {
  const muxer = Buffer.from('/yamux/1.0.0');
  const signed = Buffer.concat([Buffer.from('noise-libp2p-static-key:'), STATIC_KEY]);
  const payload = Buffer.concat([
    Buffer.from('0a2408011220', 'hex'),
    identity.publicKey,
    Buffer.from('1240', 'hex'),
    identity.sign(signed),
    Buffer.from([0x22, muxer.length + 2, 0x12, muxer.length]),
    muxer,
  ]);
  return `static key  ${STATIC_KEY.toString('hex')}\n\n${hex(payload, 32)}`;
}

/** What a puller writes on a new stream, up to its half-close. */
function streamExample(pull: Uint8Array): string {
  const line = (protocol: string): Buffer =>
    Buffer.concat([Buffer.from([protocol.length + 1]), Buffer.from(`${protocol}\n`)]);
  const frame = Buffer.from(varint.encode(pull.length));
  return [
    `${line('/multistream/1.0.0').toString('hex')}`,
    `${line(PULL_PROTOCOL).toString('hex')}`,
    `${frame.toString('hex')} ‖ the ${pull.length} bytes of the request`,
  ].join('\n');
}

function entriesOf({ entries }: PageFrames): string {
  return text(entries ?? new Uint8Array(0));
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8');
}

function hex(bytes: Uint8Array, perLine: number): string {
  const digits = Buffer.from(bytes).toString('hex');
  return (digits.match(new RegExp(`.{1,${2 * perLine}}`, 'g')) ?? []).join('\n');
}

const BLOCK = /<!-- example: ([a-z-]+) -->\n(?:```\n[\s\S]*?\n```\n)?/g;

/** The page with every example filled in. */
export function filled(page: string, made: ReadonlyMap<string, string>): string {
  return page.replaceAll(BLOCK, (_block, name: string) => {
    return `<!-- example: ${name} -->\n\`\`\`\n${made.get(name) ?? 'no such example'}\n\`\`\`\n`;
  });
}

/** Name -> what the page shows. */
export function shown(page: string): ReadonlyMap<string, string> {
  const blocks = page.matchAll(/<!-- example: ([a-z-]+) -->\n```\n([\s\S]*?)\n```\n/g);
  return new Map([...blocks].map(([, name = '', block = '']) => [name, block]));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(PAGE, filled(readFileSync(PAGE, 'utf8'), await examples()));
