/** Copies of bodies in stored pages, and acknowledgements that came by a relay. */
import { decodeEntry } from '../../core/entry.ts';
import { decodeTombstone, TOMBSTONE } from '../../core/tombstone.ts';
import { openOwnDeclaration } from '../../verify/declared-log-key.ts';
import { isBlank } from '../../wire/erased-entry.ts';
import { parseErasureAck } from '../../wire/erasure-ack.ts';
import { decodePage } from '../../wire/page.ts';
import { PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { isErased } from '../erased-row.ts';
import type { EntryRow } from '../tables-logs.ts';
import type { PageRow } from '../tables-peers.ts';
import { hasCopies } from './blanked-lines.ts';
import { type Fault, type FsckContext, type StoredRow, walkTable } from './context.ts';

export function checkCopies(ctx: FsckContext): void {
  if (!hasCopies(ctx.db)) return;
  const check = new CopyCheck(ctx);
  walkTable(ctx, 'body_copies', { judge: (row) => check.judge(row) });
  walkTable(ctx, 'relayed_acks', { judge: (row) => check.judgeAck(row) });
}

type Named = Pick<EntryRow, 'event_hash' | 'fact_id' | 'relation' | 'value_v' | 'source'>;

class CopyCheck {
  readonly #ctx: FsckContext;
  readonly #row: Statement<[number], Named>;
  readonly #page: Statement<[number], PageRow>;

  constructor(ctx: FsckContext) {
    this.#ctx = ctx;
    const columns = ['event_hash', 'fact_id', 'relation', 'value_v', 'source'] as const;
    this.#row = prepare(ctx.db, sqlBuilder.selectFrom('entries').select(columns).where('chain_seq', '=', PARAM));
    this.#page = prepare(ctx.db, sqlBuilder.selectFrom('pages').selectAll().where('page_id', '=', PARAM));
  }

  judge(copy: StoredRow<'body_copies'>): Fault | undefined {
    // What is wrong with pages or entries is said where those are read.
    if (this.#ctx.findings.isDamaged('pages', 'entries')) return undefined;
    const page = this.#page.get(copy.page_id);
    const decoded = page === undefined ? undefined : decodePage(page);
    const line = decoded?.ok === true ? decoded.value.entries[copy.place] : undefined;
    if (line === undefined)
      return { code: 'copy_without_line', field: 'page_id', detail: `page ${copy.page_id} has no line ${copy.place}` };
    return this.#judgeTombstone(copy, line) ?? this.#judgeTarget(copy, line);
  }

  #judgeTombstone({ tombstone_seq, target_seq }: StoredRow<'body_copies'>, line: Uint8Array): Fault | undefined {
    const tombstone = tombstone_seq === null ? undefined : this.#row.get(tombstone_seq);
    if (tombstone_seq === null)
      return target_seq === null ? { code: 'copy_of_nothing', field: null, detail: 'it names no entry' } : undefined;
    if (tombstone?.relation !== TOMBSTONE || decodeTombstone(tombstone.value_v) === null)
      return { code: 'step_without_tombstone', field: 'tombstone_seq', detail: `entry ${tombstone_seq} is none` };
    if (isBlank(line)) return undefined;
    return { code: 'not_erased', field: 'tombstone_seq', detail: 'the line is said to be erased and has its body' };
  }

  #judgeTarget({ target_seq, tombstone_seq }: StoredRow<'body_copies'>, line: Uint8Array): Fault | undefined {
    const target = target_seq === null ? undefined : this.#row.get(target_seq);
    if (target_seq === null) return undefined;
    if (target === undefined)
      return { code: 'step_without_entry', field: 'target_seq', detail: `there is no entry ${target_seq}` };
    if (isErased(target) && isBlank(line)) return undefined;
    const entry = decodeEntry(line);
    if (tombstone_seq === null && entry.ok && entry.value.fact_id === target.fact_id) return undefined;
    return { code: 'copy_mismatch', field: 'target_seq', detail: `the line is no copy of entry ${target_seq}` };
  }

  judgeAck({ peer, note, declaration, tombstone_seq }: StoredRow<'relayed_acks'>): Fault | undefined {
    const ack = parseErasureAck(note.slice(0, note.lastIndexOf('\n\n') + 1));
    const declared = openOwnDeclaration(declaration);
    if (!ack.ok || declared?.node_id !== peer || declared.journal_origin !== ack.value.receiver)
      return {
        code: 'ack_malformed',
        field: null,
        detail: 'no acknowledgement of an erasure by the node that is named',
      };
    const tombstone = this.#row.get(tombstone_seq);
    if (this.#ctx.findings.isDamaged('entries')) return undefined;
    if (tombstone?.relation === TOMBSTONE && tombstone.source === ack.value.author) return undefined;
    return { code: 'step_without_tombstone', field: 'tombstone_seq', detail: `entry ${tombstone_seq} is none of its` };
  }
}
