/** Ranked retrieval. The index gives candidates, a bounded number of them; the rows themselves decide. */
import type { Entry } from '../core/entry.ts';
import { parseIsoInstant } from '../core/time.ts';
import { type Db, lastKey, type Statement } from '../journal/database.ts';
import type { FactQuery, RecalledFact, RecallQuery, RecallResult } from '../journal/read-model.ts';
import { scopeToken } from '../journal/recall-text.ts';
import type { FactReader } from './fact-reader.ts';
import { prepareMatches } from './recall-index.ts';
import { packBudget, type ScoreParts, scoreFact, tokenEstimate, type WeighedTerm } from './recall-score.ts';
import { type Term, termsOf } from './recall-words.ts';

/** Newest matches that are looked at of each word: what a query costs does not depend on the journal's length. */
const MATCHES_PER_TERM = 2_000;
/** Candidates that are read, checked and scored; some 20 µs each. */
const MAX_CANDIDATES = 600;

export class RecallReader {
  readonly #db: Db;
  readonly #facts: FactReader;
  #matches: Statement<[string, number, number], number> | undefined;

  constructor(db: Db, facts: FactReader) {
    this.#db = db;
    this.#facts = facts;
  }

  /** The facts that answer best and fit the budget. */
  recall(query: RecallQuery): RecallResult {
    const { terms, seqs } = this.#candidates(query);
    const nowUs = instantOf(query.nowIso);
    const ranked: { readonly entry: Entry; readonly parts: ScoreParts }[] = [];
    for (const seq of seqs) {
      const row = this.#facts.rowAt(seq);
      if (row === undefined || (!row.ok && row.kind === 'erased')) continue;
      if (!row.ok) return { kind: 'corrupt', corrupt: row.corrupt };
      const parts = scoreFact(row.entry, terms, query.weights, nowUs);
      // The index may know words that the row no longer has.
      if (parts.lexical > 0) ranked.push({ entry: row.entry, parts });
    }
    ranked.sort((a, b) => b.parts.score - a.parts.score || b.entry.chain_seq - a.entry.chain_seq);
    const best = this.#shown(ranked, query);
    const { taken, used, truncated } = packBudget(best, query.tokenBudget);
    return { kind: 'recalled', facts: taken, scored: best.length, tokensUsed: used, truncated };
  }

  /** Whether a fact still stands costs more than its score: it is asked of as many as are wanted, best first. */
  #shown(ranked: readonly { readonly entry: Entry; readonly parts: ScoreParts }[], query: RecallQuery): RecalledFact[] {
    const filter = filterOf(query);
    const best: RecalledFact[] = [];
    for (const { entry, parts } of ranked) {
      if (best.length === query.limit) break;
      const fact = this.#facts.shown(entry, filter);
      if (fact !== undefined) best.push({ fact, parts, tokens: tokenEstimate(entry) });
    }
    return best;
  }

  /** Journal positions, the rarest words first, and of equal ones the newest. */
  #candidates({ query, scope }: RecallQuery): { terms: WeighedTerm[]; seqs: number[] } {
    const size = lastKey(this.#db, 'entries', 'chain_seq');
    const weight = new Map<number, number>();
    const found = termsOf(query).map((term) => ({ term, seqs: this.#matching([term], scope) }));
    const terms = found.map(({ term, seqs }) => ({ ...term, rarity: rarityOf(seqs, size) }));
    for (const [at, { seqs }] of found.entries())
      for (const seq of seqs) weight.set(seq, (weight.get(seq) ?? 0) + (terms[at]?.rarity ?? 0));
    if (found.length > 1) {
      // Facts that have all the words may be older than the newest ones that have one of them.
      const all = terms.reduce((sum, { rarity }) => sum + rarity, 0);
      for (const seq of this.#matching(terms, scope)) weight.set(seq, all);
    }
    const order = [...weight].sort(([a, weightA], [b, weightB]) => weightB - weightA || b - a);
    return { terms, seqs: order.slice(0, MAX_CANDIDATES).map(([seq]) => seq) };
  }

  #matching(terms: readonly Term[], scope: string): number[] {
    const words = [...terms.map(({ match }) => match), `"${scopeToken(scope)}"`];
    this.#matches ??= prepareMatches(this.#db);
    return this.#matches.all(words.join(' AND '), Number.MAX_SAFE_INTEGER, MATCHES_PER_TERM);
  }
}

/** Of a word with more matches than are looked at, how many there are is told from how close together they lie. */
function rarityOf(seqs: readonly number[], size: number): number {
  if (seqs.length === 0) return Math.log(1 + size);
  const oldest = seqs.length < MATCHES_PER_TERM ? 0 : (seqs.at(-1) ?? 0);
  const share = seqs.length / Math.max(1, size - oldest);
  return Math.log(1 + 1 / share);
}

function filterOf({ scope, minConfidence, nowIso, limit }: RecallQuery): FactQuery {
  return { scope, minConfidence, nowIso, limit };
}

function instantOf(iso: string): bigint {
  const parsed = parseIsoInstant(iso);
  return parsed.ok ? parsed.value : 0n;
}
