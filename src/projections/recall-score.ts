/** How well a fact answers a query. Pure: the same facts, query and clock give the same order. */
import { parseIsoInstant } from '../core/time.ts';
import { searchedText } from '../journal/recall-text.ts';
import { countWords, type Term } from './recall-words.ts';

/** Weights as a request gives them, 0 to 1. The others of the reference have nothing to weigh here. */
export interface RecallWeights {
  readonly lexical: number;
  readonly recency: number;
}

/** Parts of a score, each from 0 to 1. */
export interface ScoreParts {
  readonly lexical: number;
  readonly recency: number;
  readonly weightedTotal: number;
  /** The weighted total times the fact's confidence. */
  readonly score: number;
}

/** A term with its rarity: ln(1 + journal entries / entries that have it). */
export interface WeighedTerm extends Term {
  readonly rarity: number;
}

interface Scored {
  readonly entity: string;
  readonly relation: string;
  readonly value_v: string;
  readonly timestamp: string;
  readonly confidence: string;
}

/** A word that is there twice says a little more than one that is there once, and no number of them says twice as much. */
const SATURATION = 0.4;
/** Words of a fact beyond which each of them says less about it. */
const USUAL_WORDS = 24;
const HALF_LIFE_US = 30n * 24n * 3_600n * 1_000_000n;

/** @param nowUs µs since 1970 */
export function scoreFact(
  fact: Scored,
  terms: readonly WeighedTerm[],
  weights: RecallWeights,
  nowUs: bigint,
): ScoreParts {
  const lexical = lexicalOf(searchedText(fact), terms);
  const recency = recencyOf(fact.timestamp, nowUs);
  const weightedTotal = weights.lexical * lexical + weights.recency * recency;
  return { lexical, recency, weightedTotal, score: weightedTotal * Number(fact.confidence) };
}

/** Share of the query's rarity that a text has, less for a long text: Okapi BM25 with its ends tied to 0 and 1. */
function lexicalOf(text: string, terms: readonly WeighedTerm[]): number {
  const { counts, words } = countWords(text);
  const length = 1 + Math.max(0, words / USUAL_WORDS - 1);
  let found = 0;
  let all = 0;
  for (const { folded, rarity } of terms) {
    const count = counts.get(folded) ?? 0;
    found += (rarity * count) / (count + SATURATION * Math.sqrt(length));
    all += rarity / (1 + SATURATION);
  }
  return all === 0 ? 0 : Math.min(1, found / all);
}

/** 1 now, ½ after 30 days; facts dated ahead count as of now. */
function recencyOf(timestamp: string, nowUs: bigint): number {
  const at = parseIsoInstant(timestamp);
  if (!at.ok) return 0;
  const age = nowUs > at.value ? nowUs - at.value : 0n;
  return 2 ** (-Number(age) / Number(HALF_LIFE_US));
}

/** Tokens that a fact will take of a budget, as the reference estimates them: a quarter of its characters. */
export function tokenEstimate(fact: {
  readonly entity: string;
  readonly relation: string;
  readonly value_v: string;
  readonly source: string;
}): number {
  let characters = 3;
  // Python counts code points.
  for (const part of [fact.entity, fact.relation, fact.value_v, fact.source]) for (const _ of part) characters++;
  return Math.max(1, Math.floor(characters / 4));
}

/**
 * Takes facts in their order while the budget lasts; one that does not fit is passed over, smaller ones behind it may
 * still fit.
 */
export function packBudget<T extends { readonly tokens: number }>(
  ranked: readonly T[],
  budget: number,
): { readonly taken: readonly T[]; readonly used: number; readonly truncated: boolean } {
  const taken: T[] = [];
  let used = 0;
  for (const one of ranked) {
    if (used + one.tokens > budget) continue;
    taken.push(one);
    used += one.tokens;
  }
  return { taken, used, truncated: taken.length < ranked.length };
}
