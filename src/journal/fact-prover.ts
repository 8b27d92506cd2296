/** Bundles of facts, and the chain's head as the reference's clients check it. */
import type { PlainJson } from '../core/canonical-json.ts';
import { checkpointLeafHash, checkpointPayload } from '../core/reference/checkpoint.ts';
import { isoMicros } from '../core/time.ts';
import { decodeTombstone } from '../core/tombstone.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { parseNote } from '../merkle/note.ts';
import { proveInclusion } from '../merkle/tiles.ts';
import { formatTlogProof } from '../merkle/tlog-proof.ts';
import { encodeErasureProof } from '../wire/erasure-proof.ts';
import { encodeFactBundle, FACT_BUNDLE_KIND, type FactBundle } from '../wire/fact-bundle.ts';
import { ChainWindow } from './chain-window.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { hashText } from './entry-row.ts';
import { type ProofCheckpoint, ProofCheckpoints, type SubmittedCheckpoint } from './proof-checkpoints.ts';
import type {
  ChainBreak,
  ChainProof,
  CorruptFact,
  Erased,
  ProvenErasure,
  ProvenFact,
  ProveResult,
} from './read-model.ts';
import { type CheckedRow, checkRow } from './row-check.ts';
import { StoredTiles } from './stored-tiles.ts';
import type { EntryRow } from './tables-logs.ts';

/** Links behind each of the two heads that a chain proof speaks of. */
const CHECKED_LINKS = 128;

export interface ProveRequest {
  readonly factIds: readonly string[];
  readonly erased: readonly Erased[];
  /** The newest checkpoint that this node signed; it covers every fact named. */
  readonly head: { readonly size: number; readonly note: string; readonly chainHash: string | null };
  /** This node's signed declaration. */
  readonly declaration: string;
  /** Whether the ends of the chain are looked at, too. */
  readonly withChain: boolean;
}

type Unproven =
  | { readonly kind: 'corrupt'; readonly corrupt: CorruptFact }
  | { readonly kind: 'broken'; readonly broken: ChainBreak };
type Bundled = Unproven | { readonly kind: 'proven'; readonly checkpoint: ProofCheckpoint; readonly fact: ProvenFact };

/** Makes bundles out of tiles and rows. Everything is checked once more before it is handed out. */
export class FactProver {
  readonly #tiles: StoredTiles;
  readonly #checkpoints: ProofCheckpoints;
  readonly #chain: ChainWindow;
  readonly #byId: Statement<[string], EntryRow>;
  readonly #bySeq: Statement<[number], EntryRow>;
  readonly #feedName: Statement<[number], string>;

  constructor(db: Db) {
    this.#tiles = new StoredTiles(db, 'journal');
    this.#checkpoints = new ProofCheckpoints(db);
    this.#chain = new ChainWindow(db);
    const entries = sqlBuilder.selectFrom('entries').selectAll();
    this.#byId = prepare(db, entries.where('fact_id', '=', PARAM));
    this.#bySeq = prepare(db, entries.where('chain_seq', '=', PARAM));
    const name = sqlBuilder.selectFrom('feeds').select('name').where('feed_id', '=', PARAM);
    this.#feedName = prepare<[number]>(db, name).pluck() as Statement<[number], string>;
  }

  /** One bundle per fact, in the order asked for; facts that are not here, and erasures that nothing proves, are left out. */
  prove(request: ProveRequest): ProveResult {
    const candidates = this.#checkpoints.candidates(request.head);
    const submitted = this.#checkpoints.submitted();
    const broken = request.withChain ? this.#checkEnds(request.head.size, submitted) : null;
    if (broken !== null) return { kind: 'broken', broken };
    const facts: ProvenFact[] = [];
    for (const id of request.factIds) {
      const proven = this.#bundle(this.#byId.get(id), candidates, request.declaration);
      if (proven === null) continue;
      if (proven.kind !== 'proven') return proven;
      facts.push(proven.fact);
    }
    const erasures: ProvenErasure[] = [];
    for (const erased of request.erased) {
      const proven = this.#erasure(erased, candidates, request.declaration);
      if (proven === null) continue;
      if ('kind' in proven) return proven;
      erasures.push(proven);
    }
    return { kind: 'proven', facts, erasures, chain: chainProofOf(request.head, submitted) };
  }

  #bundle(row: EntryRow | undefined, candidates: readonly ProofCheckpoint[], declaration: string): Bundled | null {
    const checkpoint = candidates.find(({ size }) => row !== undefined && row.chain_seq <= size);
    if (row === undefined || checkpoint === undefined) return null;
    const checked = this.#checkStored(row);
    if (!checked.ok) return checked.kind === 'corrupt' ? { kind: 'corrupt', corrupt: checked.corrupt } : null;
    const link = this.#chain.check(row.chain_seq - 1, row.chain_seq);
    if (link !== null) return { kind: 'broken', broken: link };
    const path = this.#pathOf(row, checkpoint);
    if ('reason' in path) return { kind: 'broken', broken: path };
    const proof = formatTlogProof({ index: row.chain_seq - 1, path, checkpoint: checkpoint.note });
    return { kind: 'proven', checkpoint, fact: bundleOf(row, checked.text, proof, checkpoint, declaration) };
  }

  /** Only a tombstone of this node proves it, and only of the leaf that it names. */
  #erasure(
    { seq, tombstoneSeq }: Erased,
    candidates: readonly ProofCheckpoint[],
    declaration: string,
  ): ProvenErasure | Unproven | null {
    const [row, tombstone] = [this.#bySeq.get(seq), this.#bySeq.get(tombstoneSeq)];
    if (row === undefined || tombstone === undefined || tombstone.origin_node_id !== null) return null;
    const said = decodeTombstone(tombstone.value_v);
    if (said?.leaf_index !== seq - 1 || said.leaf_hash !== hashText(row.leaf_hash)) return null;
    const bundled = this.#bundle(tombstone, candidates, declaration);
    if (bundled?.kind !== 'proven') return bundled;
    // What names it stands behind it: the checkpoint of the tombstone covers both.
    const path = this.#pathOf(row, bundled.checkpoint);
    if ('reason' in path) return { kind: 'broken', broken: path };
    return { seq, proof: encodeErasureProof({ path: path.map(encodeBase64), tombstone: bundled.fact.bundle }) };
  }

  #checkStored(row: EntryRow): CheckedRow {
    const treeLeaf = this.#tiles.fullTileLeaf(row.chain_seq);
    return checkRow(row, { treeLeaf, feed: this.#feedName.get(row.feed_id) });
  }

  /** The inclusion path, or what is wrong with the stored tree or checkpoint. */
  #pathOf(row: EntryRow, { size, note }: ProofCheckpoint): readonly Uint8Array[] | ChainBreak {
    const index = row.chain_seq - 1;
    const path = proveInclusion(index, size, this.#tiles);
    const root = rootOf(note, size);
    const holds = root !== null && checkInclusion(row.leaf_hash, index, path, root, size) === 'ok';
    return holds ? path : { reason: 'tree_mismatch', factId: row.fact_id, chainSeq: row.chain_seq };
  }

  #checkEnds(size: number, submitted: SubmittedCheckpoint | null): ChainBreak | null {
    const tail = this.#chain.check(size - CHECKED_LINKS + 1, size);
    if (tail !== null || submitted === null) return tail;
    const { treeSize, chainHash } = submitted.checkpoint;
    const covered = this.#chain.check(treeSize - CHECKED_LINKS + 1, treeSize);
    if (covered !== null) return covered;
    const stored = this.#chain.hashAt(treeSize);
    return stored === chainHash ? null : { reason: 'checkpoint_mismatch', factId: null, chainSeq: treeSize };
  }
}

function bundleOf(
  row: EntryRow,
  entry: string,
  proof: string,
  { receipts }: ProofCheckpoint,
  declaration: string,
): ProvenFact {
  const bundle = encodeFactBundle({
    anchors: receipts.map((receipt) => ({ ...receipt })) as unknown as FactBundle['anchors'],
    declaration,
    entry,
    kind: FACT_BUNDLE_KIND,
    origin: null,
    proof,
    salt: encodeBase64(row.salt),
  });
  return { factId: row.fact_id, bundle, anchored: receipts.length > 0 };
}

function rootOf(note: string, size: number): Uint8Array | null {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  return checkpoint.ok && checkpoint.value.size === size ? checkpoint.value.root : null;
}

/** Cut at the newest submitted checkpoint, since the reference's clients refuse one that is behind the head. */
function chainProofOf(head: ProveRequest['head'], submitted: SubmittedCheckpoint | null): ChainProof {
  const chainHash = submitted?.checkpoint.chainHash ?? null;
  if (submitted === null || chainHash === null) {
    return { checkedEntries: head.size, headHash: head.chainHash, checkpoint: null };
  }
  const { checkpoint, receipts, submittedUs } = submitted;
  const receipt = receipts.find(({ backend }) => backend === 'local') ?? receipts[0];
  if (receipt === undefined) return { checkedEntries: head.size, headHash: head.chainHash, checkpoint: null };
  const createdAt = isoMicros(checkpoint.createdUs);
  const covered = { tenant_id: 'default', chain_seq: checkpoint.treeSize, chain_hash: chainHash };
  const payload = checkpointPayload({ ...covered, created_at: createdAt });
  const isLocal = receipt.backend === 'local';
  const entry = receipt.entry as { readonly [member: string]: PlainJson };
  return {
    checkedEntries: checkpoint.treeSize,
    headHash: chainHash,
    checkpoint: {
      id: `chaincp_${checkpoint.id.toString(16).padStart(32, '0')}`,
      coveredChainSeq: checkpoint.treeSize,
      chainHash,
      createdAt,
      submittedAt: isoMicros(submittedUs),
      backend: receipt.backend,
      logId: receipt.log_id,
      // Clients of the reference compare this with the payload; Rekor's own leaf is of the checkpoint's signed text.
      leafHash: checkpointLeafHash(payload),
      logIndex: receipt.log_index,
      integratedTime: receipt.integrated_time,
      inclusionProof: isLocal ? { chain_hash: entry['chain_hash'], prev_hash: entry['prev_hash'] } : {},
      raw: isLocal ? entry : { entry, payload: JSON.parse(payload) as PlainJson },
    },
  };
}
