/** Bundles of facts, and the chain's head as the reference's clients check it. */
import type { PlainJson } from '../core/canonical-json.ts';
import { checkpointLeafHash, checkpointPayload } from '../core/reference/checkpoint.ts';
import { isoMicros } from '../core/time.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { parseNote } from '../merkle/note.ts';
import { proveInclusion } from '../merkle/tiles.ts';
import { formatTlogProof } from '../merkle/tlog-proof.ts';
import { encodeFactBundle, FACT_BUNDLE_KIND, type FactBundle } from '../wire/fact-bundle.ts';
import { ChainWindow } from './chain-window.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from './database.ts';
import { type ProofCheckpoint, ProofCheckpoints, type SubmittedCheckpoint } from './proof-checkpoints.ts';
import type { ChainBreak, ChainProof, ProvenFact, ProveResult } from './read-model.ts';
import { type CheckedRow, checkRow } from './row-check.ts';
import { StoredTiles } from './stored-tiles.ts';
import type { EntryRow } from './tables-logs.ts';

/** Links behind each of the two heads that a chain proof speaks of. */
const CHECKED_LINKS = 128;

export interface ProveRequest {
  readonly factIds: readonly string[];
  /** The newest checkpoint that this node signed; it covers every fact named. */
  readonly head: { readonly size: number; readonly note: string; readonly chainHash: string | null };
  /** This node's signed declaration. */
  readonly declaration: string;
  /** Whether the ends of the chain are looked at, too. */
  readonly withChain: boolean;
}

/** Makes bundles out of tiles and rows. Everything is checked once more before it is handed out. */
export class FactProver {
  readonly #tiles: StoredTiles;
  readonly #checkpoints: ProofCheckpoints;
  readonly #chain: ChainWindow;
  readonly #byId: Statement<[string], EntryRow>;
  readonly #feedName: Statement<[number], string>;

  constructor(db: Db) {
    this.#tiles = new StoredTiles(db, 'journal');
    this.#checkpoints = new ProofCheckpoints(db);
    this.#chain = new ChainWindow(db);
    this.#byId = prepare(db, sqlBuilder.selectFrom('entries').selectAll().where('fact_id', '=', PARAM));
    const name = sqlBuilder.selectFrom('feeds').select('name').where('feed_id', '=', PARAM);
    this.#feedName = prepare<[number]>(db, name).pluck() as Statement<[number], string>;
  }

  /** One bundle per fact, in the order asked for; facts that are not here are left out. */
  prove(request: ProveRequest): ProveResult {
    const candidates = this.#checkpoints.candidates(request.head);
    const submitted = this.#checkpoints.submitted();
    const broken = request.withChain ? this.#checkEnds(request.head.size, submitted) : null;
    if (broken !== null) return { kind: 'broken', broken };
    const facts: ProvenFact[] = [];
    for (const id of request.factIds) {
      const row = this.#byId.get(id);
      const checkpoint = candidates.find(({ size }) => row !== undefined && row.chain_seq <= size);
      if (row === undefined || checkpoint === undefined) continue;
      const checked = this.#checkStored(row);
      if (!checked.ok && checked.kind === 'corrupt') return { kind: 'corrupt', corrupt: checked.corrupt };
      if (!checked.ok) continue;
      const link = this.#chain.check(row.chain_seq - 1, row.chain_seq);
      if (link !== null) return { kind: 'broken', broken: link };
      const proof = this.#proofOf(row, checkpoint);
      if (typeof proof !== 'string') return { kind: 'broken', broken: proof };
      facts.push(bundleOf(row, checked.text, proof, checkpoint, request.declaration));
    }
    return { kind: 'proven', facts, chain: chainProofOf(request.head, submitted) };
  }

  #checkStored(row: EntryRow): CheckedRow {
    const treeLeaf = this.#tiles.fullTileLeaf(row.chain_seq);
    return checkRow(row, { treeLeaf, feed: this.#feedName.get(row.feed_id) });
  }

  /** The text of the proof, or what is wrong with the stored tree or checkpoint. */
  #proofOf(row: EntryRow, { size, note }: ProofCheckpoint): string | ChainBreak {
    const index = row.chain_seq - 1;
    const path = proveInclusion(index, size, this.#tiles);
    const root = rootOf(note, size);
    const holds = root !== null && checkInclusion(row.leaf_hash, index, path, root, size) === 'ok';
    return holds
      ? formatTlogProof({ index, path, checkpoint: note })
      : { reason: 'tree_mismatch', factId: row.fact_id, chainSeq: row.chain_seq };
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
