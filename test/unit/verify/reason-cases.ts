/** One way to earn each reason; the tests beside this file run them, and fail if a reason has none. */

import { type Entry, encodeEntry } from '../../../src/core/entry.ts';
import type { FactReason, PageReason, QuarantineReason } from '../../../src/core/verdict.ts';
import type { EntryLie, FactDraft } from '../../../src/drill/entry-draft.ts';
import { EPOCH_MS, type StoredEntry } from '../../../src/drill/peer-log.ts';
import { RECEIVER } from '../../../src/drill/served-log.ts';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1 } from '../../../src/merkle/note.ts';
import { parsePolicy, type WitnessPolicy } from '../../../src/merkle/tlog-policy.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import type { PageContext } from '../../../src/verify/context.ts';
import type { EvidenceClass } from '../../../src/verify/evidence.ts';
import type { SeenFact } from '../../../src/verify/seen-fact.ts';
import type { PageFrames, SignedPageFrames } from '../../../src/wire/page.ts';
import type { PageHeader } from '../../../src/wire/page-header.ts';
import { signPageNote } from '../../../src/wire/page-note.ts';
import { bury, withHole } from '../../support/buried.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { RelayLog } from '../../support/relay-log.ts';

export const ZEROS: string = `sha256:${'0'.repeat(64)}`;

export interface FactCase {
  readonly draft?: FactDraft;
  readonly lie?: EntryLie;
  /** What the receiver holds under the poisoned entry's fact id. */
  readonly seen?: (stored: StoredEntry) => SeenFact;
  /** Changes the entry on the way, after it was signed; the page proof then fails. */
  readonly garbled?: (bytes: Buffer) => void;
  readonly field: string;
  readonly class?: EvidenceClass;
}

export function seenOf({ entry }: StoredEntry, changes: Partial<SeenFact> = {}): SeenFact {
  const { fact_id, cid, timestamp, hlc, valid_until, interpret_as, garden_id, derived_from, attestation } = entry;
  return {
    ...{ fact_id, cid, timestamp, hlc, valid_until, interpret_as, garden_id, derived_from, attestation },
    node_id: 'stigmem://acme.example',
    received_from: 'stigmem://acme.example',
    origin_leaf: null,
    ...changes,
  };
}

export const FACT_CASES: Readonly<Record<FactReason, FactCase>> = {
  entry_malformed: { lie: { bytes: (text) => text.replace('"v":1,', '"v":2,') }, field: 'v' },
  entry_noncanonical: { lie: { bytes: (text) => text.replace('"v":1,', '"v": 1,') }, field: '' },
  cid_missing: { lie: { bytes: (text) => text.replace(/"cid":"[^"]*"/, '"cid":null') }, field: 'cid' },
  cid_malformed: { lie: { claim: { cid: `sha256:${'A'.repeat(64)}` } }, field: 'cid' },
  cid_mismatch: { lie: { claim: { cid: ZEROS } }, field: 'cid', class: 'contradiction' },
  event_hash_mismatch: { lie: { claim: { event_hash: ZEROS } }, field: 'event_hash' },
  chain_hash_mismatch: { lie: { claim: { chain_hash: ZEROS } }, field: 'chain_hash' },
  chain_link_mismatch: { lie: { claim: { previous_hash: ZEROS } }, field: 'previous_hash' },
  inclusion_proof_invalid: {
    garbled: (bytes) => {
      const at = bytes.indexOf('"value_v":"state ') + '"value_v":"'.length;
      bytes.write('STATE', at, 'latin1');
    },
    field: 'inclusion',
  },
  fact_rewritten: { seen: (stored) => seenOf(stored, { cid: ZEROS }), field: 'cid' },
  origin_proof_invalid: { draft: { received_from: 'stigmem://globex.example' }, field: 'received_from' },
  scope_not_granted: { draft: { feed: 'public', scope: 'company' }, field: 'feed' },
  scope_escalated: { draft: { feed: 'public', scope: 'local' }, field: 'scope' },
  source_not_owned: { draft: { source: 'stigmem://globex.example/agent/a1' }, field: 'source' },
  value_too_large: { draft: { value_v: 'x'.repeat(65_537) }, field: 'value_v' },
  namespace_reserved: { draft: { relation: 'stigmem:key' }, field: 'relation' },
  interpretation_invalid: { draft: { interpret_as: 'command' }, field: 'interpret_as' },
  hlc_future: { draft: { hlc: `${EPOCH_MS + 3_600_000 + 300_001}.000` }, field: 'hlc' },
  hlc_past: { draft: { hlc: `${EPOCH_MS - 2_592_000_000}.000` }, field: 'hlc' },
  valid_until_extended: {
    draft: { valid_until: '2027-01-01T00:00:00Z' },
    seen: (stored) => seenOf(stored, { valid_until: '2026-06-01T00:00:00Z' }),
    field: 'valid_until',
  },
};

/** Taken, but kept from readers. */
export const QUARANTINE_CASES: Readonly<Record<QuarantineReason, readonly FactDraft[]>> = {
  instruction_inbound: [
    { interpret_as: 'instruction' },
    { relation: 'instruction:do' },
    { entity: 'instruction:deploy' },
  ],
};

export interface PageCase {
  readonly frames: SignedPageFrames;
  readonly context: PageContext;
  readonly field: string;
  readonly class: EvidenceClass;
}

const peer = new HonestPeer().appendMany(5);

function rewritten(frames: PageFrames, change: Partial<PageHeader>): SignedPageFrames {
  const header = { ...JSON.parse(Buffer.from(frames.header).toString('utf8')), ...change };
  return peer.signed({ ...frames, header: Buffer.from(JSON.stringify(header)) });
}

const relayed = new RelayLog();
const honest = peer.page({ feed: 'public', after: 0 });
const laterPage = peer.page({ feed: 'public', after: 0, knownSize: 3 });
const stranger = new HonestPeer({ authority: 'globex.example' }).appendMany(5);
const buried = new HonestPeer().appendMany(5);
bury(buried, buried.entries[1] as StoredEntry);
const forked = peer.fork(2).appendMany(4);
const otherSigner = createLogSigner(peer.origin, Buffer.alloc(32, 7));
const accused = { class: 'accusation' } as const;
const contradicted = { class: 'contradiction' } as const;

const witness = createLogSigner('w.example/witness', Buffer.alloc(32, 1));
const witnessKey = { name: witness.name, algorithm: ALG_COSIGNATURE_V1, publicKey: witness.publicKey };
const witnessed = new HonestPeer({ witness }).appendMany(5);
const WITNESSED = { witnesses: policyOf(`witness w ${formatVerifierKey(witnessKey)}\nquorum w`), anchors: null };
const ANCHORED = { witnesses: null, anchors: { backends: ['local'], logs: [], maxAgeS: null } } as const;
const DATED = { witnesses: null, anchors: { ...ANCHORED.anchors, maxAgeS: 60 } } as const;
const IN_REKOR = { witnesses: null, anchors: { ...ANCHORED.anchors, backends: ['rekor'] } } as const;
const anchored = (anchor: string | null): SignedPageFrames => rewritten(honest, { anchor });

function policyOf(text: string): WitnessPolicy {
  const parsed = parsePolicy(text);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}

/** Several ways each; the first of a list is the plain one. */
export const PAGE_CASES: Readonly<Record<PageReason, Readonly<Record<string, PageCase>>>> = {
  page_malformed: {
    'header is not JSON': {
      frames: peer.signed({ ...honest, header: Buffer.from('x') }),
      context: peer.context(),
      field: 'header',
      ...accused,
    },
    'header of another feed': {
      frames: rewritten(honest, { feed: 'company' }),
      context: peer.context(),
      field: 'header.feed',
      ...accused,
    },
    'entries cut': {
      frames: peer.signed({ ...honest, entries: honest.entries?.subarray(1) ?? null }),
      context: peer.context(),
      field: 'entries',
      ...accused,
    },
    'no note': {
      frames: { ...honest, note: null },
      context: peer.context(),
      field: 'note',
      ...accused,
    },
    'a note by another key': {
      frames: peer.signed(honest, { signer: otherSigner }),
      context: peer.context(),
      field: 'note',
      ...accused,
    },
    'a note for another receiver': {
      frames: peer.signed(honest, { receiver: 'stigmem://hooli.example' }),
      context: peer.context(),
      field: 'note.receiver',
      ...accused,
    },
    'a note over other bytes': {
      frames: { ...honest, entries: honest.entries?.subarray(1) ?? null },
      context: peer.context(),
      field: 'note.frames',
      ...accused,
    },
    'a note of other entries': {
      frames: { ...honest, note: noteOf({ to: 6 }) },
      context: peer.context(),
      field: 'note.to',
      ...accused,
    },
    'a note of another tree': {
      frames: { ...honest, note: noteOf({ size: 6 }) },
      context: peer.context(),
      field: 'note.tree_size',
      ...accused,
    },
    'first page without consistency proof': {
      frames: peer.page({ feed: 'public', after: 0, knownSize: null }),
      context: peer.context(),
      field: 'consistency',
      ...accused,
    },
    'later page with consistency proof': {
      frames: honest,
      context: peer.context({ firstPage: false, known: peer.known() }),
      field: 'consistency',
      ...accused,
    },
    'later page with a larger checkpoint': {
      frames: peer.page({ feed: 'public', after: 0, knownSize: null }),
      context: peer.context({ firstPage: false, known: peer.known(4) }),
      field: 'checkpoint.size',
      ...accused,
    },
  },
  checkpoint_malformed: {
    'not a note': {
      frames: rewritten(honest, { checkpoint: 'x\n' }),
      context: peer.context(),
      field: 'checkpoint.origin',
      ...accused,
    },
  },
  checkpoint_origin_mismatch: {
    "another log's": {
      frames: rewritten(honest, { checkpoint: stranger.checkpoint() }),
      context: peer.context(),
      field: 'checkpoint.origin',
      ...accused,
    },
  },
  checkpoint_signature_invalid: {
    'another key under the same origin': {
      frames: rewritten(honest, {
        checkpoint: signCheckpoint(peer.origin, peer.size, peer.root(), otherSigner),
      }),
      context: peer.context(),
      field: 'checkpoint.signature',
      ...accused,
    },
  },
  checkpoint_rollback: {
    'smaller than known': {
      frames: peer.page({ feed: 'public', after: 0, size: 3 }),
      context: peer.context({ known: peer.known() }),
      field: 'checkpoint.size',
      ...accused,
    },
  },
  checkpoint_split_view: {
    'an anchor over another tree of the same size': {
      frames: anchored(forked.anchor(5)),
      context: peer.context({ policy: ANCHORED }),
      field: 'anchor',
      ...contradicted,
    },
    'same size, other root': {
      frames: forked.page({ feed: 'public', after: 0, size: 5, knownSize: 5 }),
      context: peer.context({ known: peer.known() }),
      field: 'checkpoint.root',
      ...contradicted,
    },
  },
  consistency_proof_invalid: {
    'a true path, from another smaller tree': {
      frames: forked.page({ feed: 'public', after: 0, size: 6, knownSize: 5 }),
      context: peer.context({ known: peer.known() }),
      field: 'consistency',
      ...contradicted,
    },
    'a garbled path': {
      frames: rewritten(laterPage, { consistency: peer.consistency(3).reverse() }),
      context: peer.context({ known: peer.known(3) }),
      field: 'consistency',
      ...accused,
    },
    'no path': {
      frames: rewritten(laterPage, { consistency: [] }),
      context: peer.context({ known: peer.known(3) }),
      field: 'consistency',
      ...accused,
    },
    'a path where none is needed': {
      frames: laterPage,
      context: peer.context(),
      field: 'consistency',
      ...accused,
    },
  },
  feed_gap: {
    'an entry withheld': {
      frames: peer.page(
        { feed: 'public', after: 0 },
        { content: (c) => ({ ...c, entries: c.entries.toSpliced(2, 1) }) },
      ),
      context: peer.context(),
      field: 'entries[2].feed_seq',
      ...accused,
    },
    'the first entry withheld': {
      frames: peer.page({ feed: 'public', after: 0 }, { content: (c) => ({ ...c, entries: c.entries.slice(1) }) }),
      context: peer.context(),
      field: 'entries[0].feed_seq',
      ...accused,
    },
    'another range than asked for': {
      frames: peer.page({ feed: 'public', after: 2 }),
      context: peer.context(),
      field: 'after',
      ...accused,
    },
    'a feed sequence given twice': {
      frames: doubled().page({ feed: 'public', after: 0 }),
      context: peer.context(),
      field: 'entries[1].feed_seq',
      ...contradicted,
    },
    'an entry that names another place of the chain': {
      frames: lyingAtTheEnd({ claim: { chain_seq: 7 } }).page({ feed: 'public', after: 0 }),
      context: peer.context(),
      field: 'entries[2].chain_seq',
      ...accused,
    },
    'an index beyond the tree': {
      frames: rewritten(honest, { indexes: [0, 1, 2, 3, 5] }),
      context: peer.context(),
      field: 'indexes',
      ...accused,
    },
  },
  erasure_unproven: {
    'a hole without a tombstone': {
      frames: peer.page({ feed: 'public', after: 0 }, { content: withHole(peer, 1, { path: [], tombstone: 'none' }) }),
      context: peer.context(),
      field: 'entries[1].tombstone',
      ...accused,
    },
    'a tombstone of another entry': {
      frames: buried.page({ feed: 'public', after: 0 }, { content: withHole(buried, 2) }),
      context: buried.context(),
      field: 'entries[2].tombstone.leaf_hash',
      ...accused,
    },
    'a tombstone that is in no tree': {
      frames: buried.page({ feed: 'public', after: 0 }, { content: withHole(buried, 1, { path: [] }) }),
      context: buried.context(),
      field: 'entries[1].path',
      ...accused,
    },
    'a tombstone of somebody else': {
      frames: buried.page(
        { feed: 'public', after: 0 },
        { content: withHole(buried, 1, { tombstone: encodeEntry(stranger.entries[0]?.entry as Entry) }) },
      ),
      context: buried.context(),
      field: 'entries[1].tombstone',
      ...accused,
    },
  },
  feed_head_mismatch: {
    'of another feed': {
      frames: peer.page({ feed: 'public', after: 0 }, { feedHead: (head) => ({ ...head, feed: 'company' }) }),
      context: peer.context(),
      field: 'feed_head.feed',
      ...accused,
    },
    'of another tree size': {
      frames: peer.page({ feed: 'public', after: 0 }, { feedHead: (head) => ({ ...head, size: 6 }) }),
      context: peer.context(),
      field: 'feed_head.size',
      ...accused,
    },
    'by another key': {
      frames: rewritten(honest, { feed_head: stranger.feedHead('public') }),
      context: peer.context(),
      field: 'feed_head',
      ...accused,
    },
    'shorter than the page': {
      frames: peer.page({ feed: 'public', after: 0 }, { feedHead: (head) => ({ ...head, length: 4 }) }),
      context: peer.context(),
      field: 'feed_head.length',
      ...contradicted,
    },
    'shorter than it was': {
      frames: peer.page({ feed: 'public', after: 0 }),
      context: peer.context({ knownFeedLength: 6 }),
      field: 'feed_head.length',
      ...accused,
    },
    'shorter than our cursor, no entries': {
      frames: peer.page({ feed: 'public', after: 9 }),
      context: peer.context({ after: 9 }),
      field: 'feed_head.length',
      ...accused,
    },
    'an empty page although there is more': {
      frames: peer.page({ feed: 'public', after: 3, count: 0 }),
      context: peer.context({ after: 3 }),
      field: 'feed_head.length',
      ...accused,
    },
    'another last leaf': {
      frames: peer.page(
        { feed: 'public', after: 0 },
        { feedHead: (head) => ({ ...head, lastLeaf: Buffer.alloc(32) }) },
      ),
      context: peer.context(),
      field: 'feed_head.last_leaf',
      ...contradicted,
    },
  },
  relay_not_permitted: {
    'a permit for another relay': {
      frames: relayed.page({}, (origins) => ({ ...origins, permit: relayed.permit({ relay: stranger.nodeId }) })),
      context: relayed.context(),
      field: 'origins.permit.relay',
      ...accused,
    },
    'a permit of its own making': {
      frames: relayed.page({}, (origins) => ({ ...origins, permit: relayed.permit({}, relayed.relay) })),
      context: relayed.context(),
      field: 'origins.permit',
      ...accused,
    },
    'a permit that has ended': {
      frames: relayed.page(),
      context: relayed.context({ nowMs: EPOCH_MS + 30 * 86_400_000 }),
      field: 'origins.permit.not_after',
      ...accused,
    },
  },
  anchor_missing: {
    'no anchor': { frames: honest, context: peer.context({ policy: ANCHORED }), field: 'anchor', ...accused },
    'in another log than those that are asked for': {
      frames: anchored(peer.anchor()),
      context: peer.context({ policy: IN_REKOR }),
      field: 'anchor',
      ...accused,
    },
  },
  anchor_invalid: {
    'no receipt': { frames: anchored('{}'), context: peer.context({ policy: ANCHORED }), field: 'anchor', ...accused },
    'not the canonical text': {
      frames: anchored(`${peer.anchor()} `),
      context: peer.context({ policy: ANCHORED }),
      field: 'anchor',
      ...accused,
    },
    'of another journal': {
      frames: anchored(stranger.anchor()),
      context: peer.context({ policy: ANCHORED }),
      field: 'anchor',
      ...accused,
    },
    'of another size than its checkpoint': {
      frames: anchored(peer.anchor(5, { tree_size: 4 })),
      context: peer.context({ policy: ANCHORED }),
      field: 'anchor',
      ...accused,
    },
    'by a peer that has declared no anchor key': {
      frames: anchored(peer.anchor()),
      context: peer.context({ policy: ANCHORED, peer: { ...peer.pinned(), anchorKey: null } }),
      field: 'anchor',
      ...accused,
    },
    'without a signed time where one is asked for': {
      frames: anchored(peer.anchor()),
      context: peer.context({ policy: DATED }),
      field: 'anchor',
      ...accused,
    },
  },
  witness_quorum_unmet: {
    'not cosigned': {
      frames: honest,
      context: peer.context({ policy: WITNESSED }),
      field: 'checkpoint.cosignatures',
      ...accused,
    },
    'cosigned by another witness': {
      frames: new HonestPeer({ witness: createLogSigner('w.example/witness', Buffer.alloc(32, 2)) })
        .appendMany(5)
        .page({ feed: 'public', after: 0 }),
      context: peer.context({ policy: WITNESSED }),
      field: 'checkpoint.cosignatures',
      ...accused,
    },
    'cosigned, for another tree': {
      frames: rewritten(honest, { checkpoint: withLinesOf(peer.checkpoint(), witnessed.checkpoint(4)) }),
      context: peer.context({ policy: WITNESSED }),
      field: 'checkpoint.cosignatures',
      ...accused,
    },
  },
};

function noteOf({ to = 5, size = 5 }: { readonly to?: number; readonly size?: number }): Buffer {
  return Buffer.from(signPageNote({ receiver: RECEIVER, feed: 'public', after: 0, to }, size, honest, peer.signer));
}

/** The signed text of one note with the cosignature of another. */
function withLinesOf(note: string, other: string): string {
  return `${note}${other.trimEnd().split('\n').at(-1)}\n`;
}

function doubled(): HonestPeer {
  const liar = new HonestPeer();
  liar.append();
  liar.append({}, { claim: { feed_seq: 1 } });
  return liar;
}

function lyingAtTheEnd(lie: EntryLie): HonestPeer {
  const liar = new HonestPeer().appendMany(2);
  liar.append({}, lie);
  return liar;
}
