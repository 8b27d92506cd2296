/** What the product signs and hands out, each once and more, made by its own code with fixed keys. */
import { createHash } from 'node:crypto';
import { encodeEntry } from '../../../src/core/entry.ts';
import { encodeTombstone } from '../../../src/core/tombstone.ts';
import { readTar } from '../../../src/core/ustar.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { entryLeafHash } from '../../../src/merkle/commitment.ts';
import { createAnchorSigner, signAnchor } from '../../../src/merkle/ecdsa.ts';
import { createLogSigner, type LogSigner } from '../../../src/merkle/ed25519.ts';
import { signFeedHead } from '../../../src/merkle/feed-head.ts';
import {
  ALG_COSIGNATURE_V1,
  ALG_ECDSA,
  ALG_ED25519,
  type NoteSignature,
  signEd25519,
} from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { evidencePacket } from '../../../src/verify/evidence-packet.ts';
import { openPage } from '../../../src/verify/page.ts';
import { CHECK_REPORT } from '../../../src/wire/check-report.ts';
import { signClosure } from '../../../src/wire/closure.ts';
import { signDeclaration } from '../../../src/wire/declaration.ts';
import { signDrillReport } from '../../../src/wire/drill-report.ts';
import { signErasureAck } from '../../../src/wire/erasure-ack.ts';
import { EMPTY_FOLD, signExportDigest } from '../../../src/wire/export-digest.ts';
import { encodeInviteCode } from '../../../src/wire/invite-code.ts';
import { signPageNote } from '../../../src/wire/page-note.ts';
import { signReceipt } from '../../../src/wire/page-receipt.ts';
import { signPeerNote } from '../../../src/wire/peer-note.ts';
import { signNotice } from '../../../src/wire/refusal-notice.ts';
import { signRelayPermit } from '../../../src/wire/relay-permit.ts';
import { signDocument } from '../../../src/wire/signed-document.ts';
import { SNAPSHOT_MANIFEST, SNAPSHOT_PROOF } from '../../../src/wire/snapshot-manifest.ts';
import { type KeyUse, signSuccession } from '../../../src/wire/succession.ts';
import { WORM_MANIFEST, type WormManifest } from '../../../src/wire/worm-manifest.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judged } from '../../support/judging.ts';
import { PAGE_CASES } from '../../unit/verify/reason-cases.ts';
import type { Case, Kind } from './cases.ts';

export const NODE = 'stigmem://acme.example';
export const ORIGIN = 'acme.example/journal/00000000000000aa';
const AUDIT = 'acme.example/audit/00000000000000aa';
const PEER = 'stigmem://globex.example';
const OTHER = 'globex.example/journal/00000000000000bb';
const AT = '2026-02-01T00:00:00.000Z';
const LONG = '2026-01-01T00:00:00.000000+00:00';
const SEED = sha256('identity');
export const LOG: LogSigner = createLogSigner(ORIGIN, sha256('log'));
/** The identity key under the node id. */
export const IDENTITY: LogSigner = createLogSigner(NODE, SEED);
const DIGEST = `sha256:${'ab'.repeat(32)}`;

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function base64(bytes: Uint8Array | string): string {
  return Buffer.from(bytes).toString('base64');
}

function ofLog(kind: Kind, note: string | Uint8Array, more: Partial<Case> = {}): Case {
  return { kind, note: base64(note), origin: ORIGIN, key: base64(LOG.publicKey), ...more };
}

function statements(): Case[] {
  const frames = { header: Buffer.from('header'), entries: Buffer.from('entries'), proof: null };
  const page = { receiver: PEER, feed: 'public', after: 1, to: 3 };
  const note = signPageNote(page, 5, frames, LOG);
  const refusedEntry = {
    at: AT,
    chain_seq: 5,
    cid: DIGEST,
    difference: { claimed: 'stigmem://hooli.example/x', computed: null, field: 'source' },
    evidence: null,
    feed_seq: 3,
  };
  const notice = { author: PEER, feed: 'company/incident-42', reason: 'source_not_owned', number: 41, at: AT };
  const ended = { receiver: PEER, feed: 'public', to: 3, treeSize: 5, closedAt: AT };
  const fact = { author: PEER, feed: 'public', feedSeq: 3, leafHash: DIGEST, erasedAt: AT };
  const sinks = [
    { sink: 'siem', count: 17, digest: DIGEST },
    { sink: 'a-1', count: 0, digest: EMPTY_FOLD },
  ];
  const digest = { nodeId: NODE, first: 1, last: 120, head: DIGEST, root: sha256('root'), sinks };
  const taken = { sender: OTHER, feed: 'public', after: 1, to: 3, accepted: 1, refused: 1 };
  const head = { origin: ORIGIN, feed: 'from/a.example/public', length: 2, size: 5, lastLeaf: sha256('leaf') };
  return [
    ofLog('checkpoint', signCheckpoint(ORIGIN, 5, sha256('root'), LOG)),
    ofLog('checkpoint', signCheckpoint(ORIGIN, 0, createHash('sha256').digest(), LOG)),
    ofLog('feed_head', signFeedHead(head, LOG)),
    ofLog('feed_head', signFeedHead({ ...head, length: 0, lastLeaf: null }, LOG)),
    ofLog('page_note', note),
    ofLog('receipt', signReceipt(taken, note, LOG)),
    ofLog('closure', signClosure(ended, LOG)),
    ofLog('closure', signClosure({ ...ended, feed: 'from/a.example:1/team' }, LOG)),
    ofLog('permit', signRelayPermit({ relay: PEER, issuedAt: AT, notAfter: '2026-02-08T00:00:00.000Z' }, LOG)),
    ofLog('erasure', signErasureAck(fact, LOG)),
    ofLog('refusal', signNotice({ ...notice, refused: 2, resolved: 1, entries: [refusedEntry] }, LOG)),
    ofLog('refusal', signNotice({ ...notice, refused: 2, resolved: 2, entries: [] }, LOG)),
    ofLog('export_digest', signExportDigest(digest, LOG)),
  ];
}

const ENDS = { anchors: 1, audit: 4, journal: 300, receipts: 1 };

function manifests(): readonly WormManifest[] {
  const checkpoint = signCheckpoint(ORIGIN, 300, sha256('root'), LOG);
  const path = `journal/${'1'.padStart(15, '0')}-${'ab'.repeat(32)}.jsonl`;
  const segment = { bytes: 9, first: 1, last: 300, path, sha256: DIGEST, stream: 'journal', version: null } as const;
  const plain = { audit: checkpoint, ends: ENDS, journal: checkpoint, made_at: LONG, retain_until: null };
  const restored = { at: LONG, base: 1, base_digest: DIGEST, count: 1, from: ENDS, left: ENDS, number: 3 };
  return [
    { ...plain, number: 1, previous: null, segments: [segment], v: 1 },
    { ...plain, number: 3, previous: DIGEST, segments: [{ ...segment, version: 'x' }], restored, v: 2 },
  ];
}

function documents(): Case[] {
  const log = { checkpoint: null, root: base64(sha256('root')), size: 300 };
  const files = [{ bytes: 1, path: 'peers/globex.toml', sha256: DIGEST }];
  const node = { node_id: NODE, software: 'stigmem-peerd/0.1.0', made_at: LONG, keys: false, v: 1 } as const;
  const snapshot = { audit: log, files, journal: { ...log, checkpoint: 'x' }, ...node };
  const proof = { audit_size: 1, journal_size: 300, manifest: DIGEST, v: 1, verified_at: LONG } as const;
  const report = {
    audit: { root: log.root, size: 4 },
    by: 'root',
    duration_ms: 12,
    ended_at: LONG,
    first_problems: ['entries 3 chain_hash'],
    journal: null,
    notices: [],
    problems: 1,
    rows: 20,
    started_at: LONG,
    v: 1,
  } as const;
  const drill = {
    acknowledged_at: null,
    acknowledged_by: 'ann\u2028stigmem-drill-report/v1\u2028b',
    audit_seq: 9,
    convicts: null,
    expected: 'checkpoint_rollback',
    failure: null,
    id: '1'.repeat(32),
    kind: 'rollback',
    passed: true,
    recorded_at: LONG,
    refused_at: LONG,
    seen: 'checkpoint_rollback',
    sent_at: LONG,
    sinks: [{ acked_at: LONG, name: 'siem', state: 'acknowledged' }],
    started_at: LONG,
    started_by: 'ann',
  } as const;
  const drills = (count: number) => Array.from({ length: count }, () => drill);
  const month = (count: number) => ({
    audit_size: 100,
    drills: drills(count),
    failed: 0,
    made_at: LONG,
    month: '2026-11',
    node_id: NODE,
    passed: count,
    refusals: [{ count: 4, reason: 'cid_mismatch' }],
    whole: true,
  });
  const document = (title: string, note: string): Case => ofLog('document', note, { title });
  return [
    ...manifests().map((one) => document(WORM_MANIFEST.title, signDocument(WORM_MANIFEST, one, LOG))),
    document(SNAPSHOT_MANIFEST.title, signDocument(SNAPSHOT_MANIFEST, snapshot, LOG)),
    document(SNAPSHOT_PROOF.title, signDocument(SNAPSHOT_PROOF, proof, LOG)),
    document(CHECK_REPORT.title, signDocument(CHECK_REPORT, report, LOG)),
    ofLog('drill_report', signDrillReport(month(1), LOG)),
    ofLog('drill_report', signDrillReport(month(150), LOG)),
  ];
}

type Line = (text: string) => NoteSignature;

/** Signs a text as a key of each use does. */
export function linesOf(use: KeyUse): { readonly old: Line; readonly new: Line; readonly vkeys: readonly string[] } {
  const name = { log: ORIGIN, anchor: ORIGIN, node: NODE, witness: 'acme.example/witness' }[use];
  const keys = ['old', 'new'].map((which) => {
    if (use === 'anchor') {
      const signer = createAnchorSigner(name, sha256(which));
      const vkey = formatVerifierKey({ name, algorithm: ALG_ECDSA, publicKey: signer.publicKey });
      return { vkey, line: (text: string) => signAnchor(text, signer) };
    }
    const signer = createLogSigner(name, sha256(which));
    const algorithm = use === 'witness' ? ALG_COSIGNATURE_V1 : ALG_ED25519;
    const vkey = formatVerifierKey({ name, algorithm, publicKey: signer.publicKey });
    return { vkey, line: (text: string) => signEd25519(text, signer) };
  });
  const [before, after] = keys;
  if (before === undefined || after === undefined) throw new TypeError('two keys');
  return { old: before.line, new: after.line, vkeys: [before.vkey, after.vkey] };
}

function successions(): Case[] {
  return (['log', 'witness', 'anchor', 'node'] as const).map((use) => {
    const { vkeys, ...lines } = linesOf(use);
    const [old = '', next = ''] = vkeys;
    const said = { effective_at: LONG, new: next, old, overlap_until: '2026-01-08', use };
    return { kind: 'succession', note: base64(signSuccession(NODE, said, lines)), node: NODE };
  });
}

async function declaration(): Promise<{ readonly note: string; readonly peerId: string }> {
  const { peerId } = await identityFromSeed(SEED);
  const vkey = (name: string): string => formatVerifierKey({ name, algorithm: ALG_ED25519, publicKey: LOG.publicKey });
  const key = { algorithm: 'ed25519', not_after: null, not_before: LONG, use: 'log' } as const;
  const keys = [ORIGIN, AUDIT].map((name) => ({ ...key, vkey: vkey(name) }));
  const said = { audit_origin: AUDIT, issued_at: LONG, journal_origin: ORIGIN, keys, node_id: NODE };
  return { note: signDeclaration({ ...said, peer_id: String(peerId) }, IDENTITY), peerId: String(peerId) };
}

function evidence(): readonly string[] {
  const lying = new HonestPeer().appendMany(3);
  lying.append({}, { claim: { cid: DIGEST } });
  const foreign = new HonestPeer();
  foreign.append({ source: `user:${'\u{1f4a9}'.repeat(400)}` });
  const facts = [lying, foreign].flatMap(
    (log) => judged(log.page({ feed: 'public', after: 0 }), log.context()).refused,
  );
  const pages = Object.values(PAGE_CASES).flatMap((ways) =>
    Object.values(ways).flatMap(({ frames, context }) => {
      const opened = openPage(frames, context);
      return opened.ok || opened.error.kind !== 'refused' ? [] : [opened.error.evidence.text()];
    }),
  );
  return [...facts.map((one) => one.evidence.text()), ...pages];
}

/** A packet as `evidence export` makes it, of an audit log with two records. */
function packet(text: string, declared: string, accused: string | null): Case {
  const audit = createLogSigner(AUDIT, sha256('log'));
  const evidenceDigest = `sha256:${sha256(text).toString('hex')}`;
  const body = `{"at":"${LONG}","event":"federation_integrity_rejected","evidence":"${evidenceDigest}","seq":2,"v":1}`;
  const leaves = [sha256('first'), entryLeafHash(sha256('salt'), body)];
  const [first = Buffer.alloc(0), second = Buffer.alloc(0)] = leaves;
  const root = createHash('sha256')
    .update(Buffer.concat([Buffer.of(1), first, second]))
    .digest();
  const record = {
    body,
    checkpoint: signCheckpoint(AUDIT, 2, root, audit),
    declaration: declared,
    inclusion: [encodeBase64(first)],
    index: 1,
    salt: encodeBase64(sha256('salt')),
    v: 1,
  } as const;
  const peer = { declaration: accused, key_statements: [], pinned_at: LONG, pinned_by: 1, v: 1 } as const;
  const tar = evidencePacket({ seq: 2, evidence: text, record, peer, page: null, verifier: null });
  if (!readTar(tar).ok) throw new TypeError('no packet');
  return { kind: 'packet', note: base64(tar) };
}

function plain(): Case[] {
  const entry = new HonestPeer().append({ value_v: 'naïve "\\\n' }).entry;
  const relayed = {
    ...entry,
    origin: { chain_seq: 3, leaf_hash: base64(sha256('x')), node_id: PEER },
    received_from: PEER,
  };
  const tombstone = encodeTombstone({ fact: DIGEST, feed_seq: 1, leaf_hash: DIGEST, leaf_index: 0 });
  const code = {
    nodeKey: IDENTITY.publicKey,
    secret: Buffer.alloc(16, 4),
    expiresS: 1_767_312_000,
    authority: 'acme.example',
    addresses: ['/dns4/peerd.acme.example/tcp/4101'],
    share: ['public'],
    accept: [],
    untilS: null,
  };
  const texts: readonly (readonly [Kind, string])[] = [
    ['entry', encodeEntry(entry)],
    ['entry', encodeEntry(relayed)],
    ['entry', encodeEntry({ ...entry, attestation: { key_id: 'k', signature: 's' }, derived_from: ['a', DIGEST] })],
    ['tombstone', tombstone],
    ['invite', encodeInviteCode(code)],
    ['time', '2026-01-01T10:20:30.123456+05:30'],
    ['time', '2026-W53-4T10:20:30,5-00:00:01.25'],
    ['time', '20260101T102030Z'],
    ['time', '2026W01T10'],
  ];
  return texts.map(([kind, text]) => ({ kind, note: base64(text) }));
}

export async function originals(): Promise<readonly Case[]> {
  const own = await declaration();
  const peerNote = signPeerNote(
    { addresses: ['/ip4/192.0.2.1/tcp/4101'], declaration: own.note, peer_id: own.peerId },
    IDENTITY,
  );
  const shown = evidence();
  const [wrongCid = ''] = shown;
  return [
    ...statements(),
    ...documents(),
    ...successions(),
    { kind: 'declaration', note: base64(own.note) },
    { kind: 'peer_note', note: base64(peerNote) },
    ...plain(),
    ...shown.map((text): Case => ({ kind: 'evidence', note: base64(text) })),
    packet(wrongCid, own.note, null),
  ];
}
