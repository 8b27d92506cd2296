/**
 * The restore guard's hold on the journal: what was signed last, as the file outside the journal and the peers know it,
 * against what the journal holds. While it is held nothing is appended or signed.
 */
import { canonicalJson } from '../core/canonical-json.ts';
import type { Entry } from '../core/entry.ts';
import { firstOk, ok, type Result } from '../core/result.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { sameHash } from '../merkle/hash.ts';
import { ed25519Verifier, formatNote, type NoteSignature, type SignedNote } from '../merkle/note.ts';
import { rootAt } from '../merkle/tiles.ts';
import { type ProvedEntry, type TailFault, verifyTail } from '../verify/own-tail.ts';
import type { AuditLog } from './audit-log.ts';
import { type Db, ONE, PARAM, prepare, sqlBuilder } from './database.ts';
import type { EntryLog } from './entry-log.ts';
import { JournalError } from './errors.ts';
import type { EvidenceStore } from './evidence-store.ts';
import { isSuperseded, ownLogKeys } from './key-statements.ts';
import type { SignedHead, SignedHeadFile } from './signed-heads.ts';
import type { CheckpointSigner } from './signing.ts';
import { StoredTiles } from './stored-tiles.ts';
import { LOGS, type LogName } from './tables.ts';

export interface JournalGuardParts {
  readonly db: Db;
  readonly heads: SignedHeadFile;
  readonly signer: CheckpointSigner;
  readonly entries: EntryLog;
  readonly audit: AuditLog;
  readonly evidence: EvidenceStore;
  /** Our own log. */
  readonly log: { readonly origin: string; readonly key: Uint8Array };
  readonly transact: <T>(work: () => T) => T;
  readonly onPutBack: (entries: readonly Entry[], nowMs: number) => void;
}

/** What the journal itself can say. */
export interface GuardView {
  readonly size: number;
  /** Size of the largest checkpoint that is known to be signed; larger than `size`: the end is missing. */
  readonly signedSize: number;
  readonly auditSize: number;
  readonly signedAuditSize: number;
  /** The file of signed checkpoints was not there: it cannot be known here what was signed. */
  readonly headsMissing: boolean;
  readonly held: string | null;
  /** A checkpoint that this node signed contradicts the journal. */
  readonly forked: boolean;
  readonly feeds: readonly { readonly feed: string; readonly length: number }[];
}

/** A checkpoint that somebody shows us as ours, against what we hold. */
export type OwnHeadVerdict =
  /** Not signed by our key. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'known' }
  | { readonly kind: 'ahead'; readonly size: number }
  | { readonly kind: 'forked'; readonly size: number; readonly auditSeq: number };

export interface Restored {
  readonly from: number;
  readonly size: number;
  readonly auditSeq: number;
}

const TAIL_LOST = 'audit_tail_lost';
const FORKED =
  'a checkpoint that this node signed contradicts the history in its journal. Nothing is written or signed any more: ' +
  'restore the newest copy of the folder, or keep it for reading and go on as a new node';

const SUPERSEDED =
  'another log key has taken the place of this one: what it signs now, nobody believes. Nothing is written or signed ' +
  'until the newest keys are put back';

export class JournalGuard {
  readonly #parts: JournalGuardParts;

  constructor(parts: JournalGuardParts) {
    this.#parts = parts;
  }

  /** Nothing is signed or written until {@link clear}. @throws JournalError `history_rewritten` on a contradiction */
  begin(nowMs: number): void {
    const { signer, entries, audit } = this.#parts;
    if (this.#isForked()) {
      signer.hold(FORKED);
      return;
    }
    signer.isBehind('journal', entries.size);
    this.#settleAudit(nowMs);
    signer.assertExtendsSigned('audit', audit.size);
    signer.hold('it has just started and asks its peers whether this is its newest history');
  }

  /** For a journal that is opened without asking anybody. @throws JournalError `history_rewritten` */
  assertNotForked(): void {
    if (this.#isForked()) throw new JournalError('history_rewritten', FORKED);
  }

  /** Whether a checkpoint of ours that was shown once contradicts the journal still: a newer copy may have been put back. */
  #isForked(): boolean {
    const { heads, entries, log, db } = this.#parts;
    const note = heads.forked;
    if (note === null) return false;
    const opened = firstOk(ownLogKeys(db, log.key), (key) => openCheckpoint(note, { origin: log.origin, key }));
    if (!opened.ok) return true;
    const { size, root } = opened.value;
    if (size > entries.size || !sameHash(this.#rootAt(size, root), root)) return true;
    heads.setForked(null);
    return false;
  }

  #rootAt(size: number, ofNothing: Uint8Array): Uint8Array {
    return size === 0 ? ofNothing : rootAt(size, new StoredTiles(this.#parts.db, 'journal'));
  }

  hold(why: string): void {
    this.#parts.signer.hold(why);
  }

  get isHeld(): boolean {
    return this.#parts.signer.held !== null;
  }

  /** @throws JournalError `guarded` */
  assertOpen(): void {
    const { held } = this.#parts.signer;
    if (held !== null) throw new JournalError('guarded', held);
  }

  view(): GuardView {
    const { entries, audit, heads, signer } = this.#parts;
    return {
      size: entries.size,
      signedSize: heads.last('journal')?.size ?? 0,
      auditSize: audit.size,
      signedAuditSize: heads.last('audit')?.size ?? 0,
      headsMissing: heads.wasMissing,
      held: signer.held,
      forked: heads.forked !== null,
      feeds: entries.feeds(),
    };
  }

  /**
   * Judges a checkpoint that a peer or a witness shows as ours. One that is ahead of the journal is kept in the file, so
   * that the node knows it at its next start too; a contradiction becomes evidence. Either way nothing is signed any more.
   */
  compare(note: string, shownBy: string, nowMs: number): OwnHeadVerdict {
    const { entries, heads, log, db } = this.#parts;
    const keys = ownLogKeys(db, log.key);
    const opened = firstOk(keys, (key) => openCheckpoint(note, { origin: log.origin, key }));
    if (!opened.ok) return { kind: 'foreign' };
    const { size, root } = opened.value;
    if (size > entries.size) {
      this.hold(`a checkpoint over ${size} entries was signed, and ${entries.size} are here`);
      if (size > (heads.last('journal')?.size ?? 0))
        heads.set('journal', { size, root: encodeBase64(root), note: ownLinesOf(opened.value.note, log.origin, keys) });
      return { kind: 'ahead', size };
    }
    const ours = this.#rootAt(size, root);
    if (sameHash(ours, root)) return { kind: 'known' };
    return { kind: 'forked', size, auditSeq: this.#forked(note, size, encodeBase64(ours), shownBy, nowMs) };
  }

  /** Puts the missing end back, all of it or nothing. A crash before the commit leaves the journal as it was. */
  restore(held: ReadonlyMap<number, ProvedEntry>, nowMs: number): Result<Restored, TailFault> {
    const { heads, entries, audit, signer, transact, onPutBack } = this.#parts;
    const target = heads.last('journal');
    const from = entries.size;
    if (target === null || target.size <= from) throw new JournalError('broken', 'nothing is missing');
    const verified = verifyTail(held, entries.tailFrom(), {
      size: target.size,
      root: Buffer.from(target.root, 'base64'),
    });
    if (!verified.ok) return verified;
    return transact(() => {
      entries.putBack(verified.value);
      onPutBack(
        verified.value.entries.map(({ entry }) => entry),
        nowMs,
      );
      signer.record('journal', target);
      const detail = { from_size: from, to_size: target.size, ...this.#auditSizes() };
      return ok({
        from,
        size: target.size,
        auditSeq: audit.append({ event: 'restored', detail }, null, nowMs * 1000),
      });
    });
  }

  /** Another log key has turned out to have taken the place of this one. */
  holdIfSuperseded(): void {
    if (isSuperseded(this.#parts.db, this.#parts.log.key)) this.hold(SUPERSEDED);
  }

  /**
   * The journal is the newest there is: it may write and sign again.
   *
   * @throws JournalError `guarded` if it is a fork, or its log key is not the newest
   */
  clear(): void {
    const { db, heads, log, signer } = this.#parts;
    if (heads.forked !== null) throw new JournalError('guarded', FORKED);
    if (isSuperseded(db, log.key)) throw new JournalError('guarded', SUPERSEDED);
    signer.release();
  }

  /**
   * Nobody holds the end of the audit log: it goes on from where the copy ends, and says so in its next record, before
   * anything else is written to it. Only then the file is changed: a crash in between leaves a record that names the very
   * head in the file, and the next start goes by that.
   */
  #settleAudit(nowMs: number): void {
    const { heads, audit, transact } = this.#parts;
    const signed = heads.last('audit');
    if (signed === null) return;
    if (!this.#isRecordedAsLost(signed)) {
      if (signed.size <= audit.size) return;
      const detail = { ...this.#auditSizes(), signed_audit_root: signed.root };
      transact(() => audit.append({ event: TAIL_LOST, detail }, null, nowMs * 1000));
    }
    heads.set('audit', this.#recordedHead('audit'));
  }

  #isRecordedAsLost({ size, root }: SignedHead): boolean {
    const query = sqlBuilder
      .selectFrom('audit')
      .select('body')
      .where('event', '=', PARAM)
      .orderBy('seq', 'desc')
      .limit(ONE);
    const row = prepare<[string], { body: string }>(this.#parts.db, query).get(TAIL_LOST);
    if (row === undefined) return false;
    const { detail } = JSON.parse(row.body) as { detail: { signed_audit_size?: unknown; signed_audit_root?: unknown } };
    return detail.signed_audit_size === size && detail.signed_audit_root === root;
  }

  #auditSizes(): Record<string, number> {
    const { audit, heads } = this.#parts;
    return { audit_size: audit.size, signed_audit_size: heads.last('audit')?.size ?? 0 };
  }

  /** The newest checkpoint of the journal that is known to be signed; null: none was. */
  get signedNote(): string | null {
    return (this.#parts.heads.last('journal') ?? this.#recordedHead('journal'))?.note ?? null;
  }

  /** The newest signed checkpoint of a log that this copy itself recorded. */
  #recordedHead(name: LogName): SignedHead | null {
    const query = sqlBuilder
      .selectFrom('checkpoints')
      .select(['tree_size', 'root', 'note'])
      .where('log', '=', PARAM)
      .orderBy('checkpoint_id', 'desc')
      .limit(ONE);
    const row = prepare<[number], { tree_size: number; root: Uint8Array; note: string }>(this.#parts.db, query).get(
      LOGS[name],
    );
    return row === undefined ? null : { size: row.tree_size, root: encodeBase64(row.root), note: row.note };
  }

  #forked(note: string, size: number, ours: string, shownBy: string, nowMs: number): number {
    const { heads, evidence, audit, transact } = this.#parts;
    this.hold(FORKED);
    // Before the record: after a crash in between, the next start holds and the peers show the checkpoint again.
    heads.setForked(note);
    const text = canonicalJson({
      class: 'contradiction',
      computed_root: ours,
      kind: 'own_history_forked',
      ours: heads.last('journal')?.note ?? null,
      shown: note,
      shown_by: shownBy,
      size,
      v: 1,
    });
    return transact(() =>
      audit.append(
        { event: 'own_history_forked', reason: 'checkpoint_split_view', peer: shownBy, detail: { size, ours } },
        evidence.save(text),
        nowMs * 1000,
      ),
    );
  }
}

/** What is kept is served to others later: lines that whoever showed the note has added would have them refuse it. */
function ownLinesOf({ text, signatures }: SignedNote, origin: string, keys: readonly Uint8Array[]): string {
  const signed = Buffer.from(text);
  const own = keys.flatMap((key) => {
    const { keyId, verify } = ed25519Verifier(origin, key);
    const isOwn = (line: NoteSignature): boolean =>
      line.name === origin && line.keyId === keyId && verify(signed, line.signature);
    return signatures.find(isOwn) ?? [];
  });
  return formatNote({ text, signatures: own });
}
