/** Facts as the API gives them, read with their number literals kept. */
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue, jsonText, parseJson } from '../core/json.ts';
import { CliError } from './exit.ts';
import type { Cell, Screen } from './screen.ts';

export interface FactView {
  readonly id: string;
  readonly cid: string;
  readonly entity: string;
  readonly relation: string;
  readonly type: string;
  /** As a person reads it. */
  readonly value: string;
  readonly source: string;
  readonly scope: string;
  readonly garden: string | null;
  readonly confidence: string;
  readonly timestamp: string;
  readonly validUntil: string | null;
  readonly receivedFrom: string | null;
  readonly contradicted: boolean;
  readonly quarantine: string | null;
  readonly warnings: readonly string[];
}

export interface FactPageView {
  readonly facts: readonly JsonObject[];
  readonly total: number;
  readonly cursor: string | null;
  /** Of `--verify`; empty without. */
  readonly bundles: JsonObject;
}

/** Reads one fact. @throws CliError when the answer is no fact */
export function readFact(text: string): FactView {
  return viewOf(readObject(text));
}

/** Reads a page of facts, each still whole. */
export function readFactPage(text: string): FactPageView {
  const page = readObject(text);
  const facts = page.get('facts');
  const total = page.get('total');
  const cursor = page.get('cursor');
  const bundles = page.get('bundles');
  return {
    facts: Array.isArray(facts) ? facts.filter(isJsonObject) : [],
    total: isJsonNumber(total) ? Number(total.lexeme) : 0,
    cursor: typeof cursor === 'string' ? cursor : null,
    bundles: bundles !== undefined && isJsonObject(bundles) ? bundles : new Map(),
  };
}

/** The members of a fact that are shown. */
export function viewOf(fact: JsonObject): FactView {
  const value = fact.get('value');
  const members: JsonObject = isJsonObject(value) ? value : new Map();
  const warnings = fact.get('warnings');
  return {
    id: textOf(fact.get('id')) ?? '',
    cid: textOf(fact.get('cid')) ?? '',
    entity: textOf(fact.get('entity')) ?? '',
    relation: textOf(fact.get('relation')) ?? '',
    type: textOf(members.get('type')) ?? '',
    value: textOf(members.get('v')) ?? jsonText(members.get('v') ?? null),
    source: textOf(fact.get('source')) ?? '',
    scope: textOf(fact.get('scope')) ?? '',
    garden: textOf(fact.get('garden_id')),
    confidence: jsonText(fact.get('confidence') ?? null),
    timestamp: textOf(fact.get('timestamp')) ?? '',
    validUntil: textOf(fact.get('valid_until')),
    receivedFrom: textOf(fact.get('received_from')),
    contradicted: fact.get('contradicted') === true,
    quarantine: textOf(fact.get('quarantine_status')),
    warnings: Array.isArray(warnings) ? warnings.filter((warning) => typeof warning === 'string') : [],
  };
}

/** One fact, member by member. */
export function factPairs(fact: FactView, screen: Screen): string {
  const rows: (readonly [string, Cell])[] = [
    ['id', fact.id],
    ['cid', fact.cid],
    ['entity', fact.entity],
    ['relation', fact.relation],
    ['value', `${fact.value}  (${fact.type})`],
    ['source', fact.source],
    ['scope', fact.garden === null ? fact.scope : `${fact.scope}, garden ${fact.garden}`],
    ['confidence', fact.confidence],
    ['asserted', fact.timestamp],
    ['valid until', fact.validUntil],
    ['received from', fact.receivedFrom],
  ];
  if (fact.contradicted)
    rows.push(['contradicted', { text: 'another fact says something about the same', style: 'yellow' }]);
  if (fact.quarantine !== null) rows.push(['quarantine', { text: fact.quarantine, style: 'yellow' }]);
  return screen.pairs(rows);
}

function textOf(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** An answer that is an object. @throws CliError when it is something else */
export function readObject(text: string): JsonObject {
  const parsed = parseJson(text);
  if (parsed.ok && isJsonObject(parsed.value)) return parsed.value;
  throw new CliError({ exit: 'refused', message: `expected an object from the API, got ${text.slice(0, 200)}` });
}
