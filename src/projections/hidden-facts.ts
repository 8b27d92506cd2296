/**
 * Which facts are hidden from readers: those in quarantine, and those that say they were made from one that is. The second is
 * found when a fact is read, so that it follows each decision about the fact it came from.
 */
import { type Db, ONE, PARAM, prepare, type Statement, sqlBuilder } from '../journal/database.ts';
import { hashBytes, parseDerived } from '../journal/entry-row.ts';
import { cidKey } from '../journal/lookup-key.ts';
import type { StoredFact } from '../journal/read-model.ts';
import type { Lookups } from './lookups.ts';

type Quarantine = NonNullable<StoredFact['quarantine']>;

/** Ancestors of one fact that are looked at: who makes longer chains hides behind them, and an honest one costs this much. */
const MAX_ANCESTORS = 64;
/** Facts of one CID that are looked at. */
const MAX_TWINS = 16;
const FROM_HIDDEN = 'derived_from_quarantined';

interface Source {
  readonly chain_seq: number;
  readonly derived_from: string | null;
}

export class HiddenFacts {
  readonly #row: Statement<[number], Quarantine>;
  readonly #any: Statement<[], number>;
  readonly #byId: Statement<[string], Source>;
  readonly #bySeq: Statement<[number], Source & { readonly cid: Uint8Array }>;
  readonly #lookups: Lookups;

  constructor(db: Db, lookups: Lookups) {
    this.#lookups = lookups;
    const held = sqlBuilder.selectFrom('quarantine');
    this.#row = prepare(db, held.select(['status', 'reason']).where('chain_seq', '=', PARAM));
    this.#any = prepare<[]>(db, held.select('chain_seq').limit(ONE)).pluck() as Statement<[], number>;
    const sources = sqlBuilder.selectFrom('entries');
    this.#byId = prepare(db, sources.select(['chain_seq', 'derived_from']).where('fact_id', '=', PARAM));
    this.#bySeq = prepare(db, sources.select(['chain_seq', 'derived_from', 'cid']).where('chain_seq', '=', PARAM));
  }

  /** Null: readers see it, and always did. */
  quarantineOf({ chain_seq, derived_from }: StoredFact['entry']): Quarantine | null {
    const own = this.#row.get(chain_seq);
    if (own !== undefined) return own;
    return this.hiddenSource(derived_from) === null ? null : { status: 'pending', reason: FROM_HIDDEN };
  }

  isHidden(entry: StoredFact['entry']): boolean {
    const quarantine = this.quarantineOf(entry);
    return quarantine !== null && quarantine.status !== 'promoted';
  }

  /** A fact that is hidden among those that something was made from, or that these were made from; null: there is none. */
  hiddenSource(derivedFrom: readonly string[]): string | null {
    if (derivedFrom.length === 0 || this.#any.get() === undefined) return null;
    const waiting = [...derivedFrom];
    const seen = new Set<string>();
    for (let name = waiting.shift(); name !== undefined && seen.size < MAX_ANCESTORS; name = waiting.shift()) {
      if (seen.has(name)) continue;
      seen.add(name);
      const sources = this.#named(name);
      const open = sources.filter(({ status }) => status === undefined || status === 'promoted');
      // Of one CID there may be several facts: who could read one of them needed no other.
      if (sources.length > 0 && open.length === 0) return name;
      // What an operator has let through was looked at with what it was made from.
      for (const { status, derived_from } of open)
        if (status === undefined && derived_from !== null) waiting.push(...parseDerived(derived_from));
    }
    return null;
  }

  /** @param name fact id or CID */
  #named(name: string): (Source & { readonly status: string | undefined })[] {
    return this.#rowsNamed(name).map((row) => ({ ...row, status: this.#row.get(row.chain_seq)?.status }));
  }

  #rowsNamed(name: string): Source[] {
    if (!name.startsWith('sha256:')) {
      const source = this.#byId.get(name);
      return source === undefined ? [] : [source];
    }
    const cid = hashBytes(name);
    const rows = this.#lookups.oldest(cidKey(cid), MAX_TWINS).map((seq) => this.#bySeq.get(seq));
    return rows.flatMap((row) => (row !== undefined && Buffer.compare(row.cid, cid) === 0 ? [row] : []));
  }
}
