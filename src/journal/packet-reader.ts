/** Gathers what an evidence packet brings: the record with its proof, the evidence, the keys, and the page if asked for. */
import { isoMicros } from '../core/time.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { proveInclusion } from '../merkle/tiles.ts';
import { logKeysOf, openOwnDeclaration } from '../verify/declared-log-key.ts';
import { decodeEvidence, type EvidencePeer } from '../verify/evidence-form.ts';
import { framesIn } from '../verify/evidence-verdict.ts';
import type { PacketPeer, PacketRecord } from '../verify/packet-form.ts';
import type { SignedPageFrames } from '../wire/page.ts';
import { type Db, ONE, PARAM, prepare, sqlBuilder } from './database.ts';
import { EvidenceStore } from './evidence-store.ts';
import type { AuditRecord } from './read-model.ts';
import { StoredTiles } from './stored-tiles.ts';
import { LOGS } from './tables.ts';
import { TEE_REPORT } from './tee-records.ts';

export interface PacketRequest {
  readonly seq: number;
  /** Whether the page of a refused fact comes too: it may hold facts that the evidence is not about. */
  readonly withPage: boolean;
  /** The newest checkpoint of the audit log, for a record that no earlier one covers. */
  readonly auditHead: { readonly size: number; readonly note: string };
  /** This node's own signed declaration. */
  readonly declaration: string;
}

export type PacketParts =
  | {
      readonly kind: 'parts';
      readonly evidence: string;
      readonly record: PacketRecord;
      readonly peer: PacketPeer;
      readonly page: SignedPageFrames | null;
    }
  | { readonly kind: 'not_found' }
  /** The record has no evidence, or none about a peer. */
  | { readonly kind: 'no_evidence' }
  /** The stored evidence is not what was saved. */
  | { readonly kind: 'damaged' };

type Pinned = { readonly note: string; readonly received_us: number };

export class PacketReader {
  readonly #db: Db;
  readonly #evidence: EvidenceStore;
  readonly #tiles: StoredTiles;

  constructor(db: Db) {
    this.#db = db;
    this.#evidence = new EvidenceStore(db);
    this.#tiles = new StoredTiles(db, 'audit');
  }

  parts(request: PacketRequest): PacketParts {
    const row = prepare<[number], { body: string; salt: Uint8Array }>(this.#db, auditRow).get(request.seq);
    if (row === undefined) return { kind: 'not_found' };
    const record = recordIn(row.body);
    if (record === null) return { kind: 'damaged' };
    if (record.evidence === null || record.event === TEE_REPORT) return { kind: 'no_evidence' };
    const evidence = this.#evidence.read(record.evidence);
    const decoded = evidence === undefined ? undefined : decodeEvidence(evidence);
    if (evidence === undefined || decoded?.ok !== true) return { kind: 'damaged' };

    const isPage = decoded.value.kind === 'page';
    return {
      kind: 'parts',
      evidence,
      record: this.#record(request, row),
      peer: this.#peer(decoded.value.form.peer),
      page: isPage ? framesIn(decoded.value) : request.withPage ? this.#page(record) : null,
    };
  }

  /** Under the earliest signed checkpoint that covers it: the same record gives the same packet as the log grows. */
  #record({ seq, auditHead, declaration }: PacketRequest, row: { body: string; salt: Uint8Array }): PacketRecord {
    const signed = prepare<[number, number], { tree_size: number; note: string }>(this.#db, covering);
    const stored = signed.get(LOGS.audit, seq);
    const head = stored === undefined ? auditHead : { size: stored.tree_size, note: stored.note };
    return {
      body: row.body,
      checkpoint: head.note,
      declaration,
      inclusion: proveInclusion(seq - 1, head.size, this.#tiles).map(encodeBase64),
      index: seq - 1,
      salt: encodeBase64(row.salt),
      v: 1,
    };
  }

  #peer(peer: EvidencePeer): PacketPeer {
    const pinned = prepare<[string], Pinned>(this.#db, declarations).all(peer.node_id);
    const used = pinned.find(({ note }) => declares(note, peer)) ?? pinned[0];
    const statements = prepare<[string]>(this.#db, keyStatements).pluck() as unknown as { all(node: string): string[] };
    const verified = prepare<[string, string]>(this.#db, firstOf).pluck() as unknown as {
      get(node: string, event: string): number | undefined;
    };
    return {
      declaration: used?.note ?? null,
      key_statements: statements.all(peer.node_id),
      pinned_at: used === undefined ? null : isoMicros(used.received_us),
      pinned_by: verified.get(peer.node_id, 'peer_verified') ?? null,
      v: 1,
    };
  }

  /** The stored page that a refused entry came in. */
  #page({ peer, feed, detail }: AuditRecord): SignedPageFrames | null {
    const seq = Number(detail['feed_seq']);
    if (peer === null || feed === null || !Number.isSafeInteger(seq)) return null;
    const row = prepare<[string, string, number, number], PageFound>(this.#db, pageOf).get(peer, feed, seq, seq);
    if (row === undefined) return null;
    const { header, entries, proof, note } = row;
    return { header, entries, proof, note: note === null ? null : Buffer.from(note) };
  }
}

interface PageFound {
  readonly header: Uint8Array;
  readonly entries: Uint8Array | null;
  readonly proof: Uint8Array | null;
  readonly note: string | null;
}

function declares(note: string, { origin, log_key }: EvidencePeer): boolean {
  const declaration = openOwnDeclaration(note);
  return declaration !== null && logKeysOf(declaration, origin).some((key) => encodeBase64(key) === log_key);
}

function recordIn(body: string): AuditRecord | null {
  try {
    return JSON.parse(body) as AuditRecord;
  } catch {
    return null; // a damaged body is a finding for whoever asked, not a failure
  }
}

const auditRow = sqlBuilder.selectFrom('audit').select(['body', 'salt']).where('seq', '=', PARAM);

const covering = sqlBuilder
  .selectFrom('checkpoints')
  .select(['tree_size', 'note'])
  .where('log', '=', PARAM)
  .where('tree_size', '>=', PARAM)
  .orderBy('tree_size')
  .limit(ONE);

const declarations = sqlBuilder
  .selectFrom('peer_declarations')
  .select(['note', 'received_us'])
  .where('peer', '=', PARAM)
  .orderBy('declaration_id');

const keyStatements = sqlBuilder
  .selectFrom('key_statements')
  .select('note')
  .where('node_id', '=', PARAM)
  .orderBy('statement_id');

const firstOf = sqlBuilder
  .selectFrom('audit')
  .select('seq')
  .where('peer', '=', PARAM)
  .where('event', '=', PARAM)
  .orderBy('seq')
  .limit(ONE);

const pageOf = sqlBuilder
  .selectFrom('pages')
  .leftJoin('page_notes', 'page_notes.page_id', 'pages.page_id')
  .select(['pages.header', 'pages.entries', 'pages.proof', 'page_notes.note'])
  .where('pages.peer', '=', PARAM)
  .where('pages.feed', '=', PARAM)
  .where('pages.after_seq', '<', PARAM)
  .where('pages.to_seq', '>=', PARAM)
  .orderBy('pages.page_id', 'desc')
  .limit(ONE);
