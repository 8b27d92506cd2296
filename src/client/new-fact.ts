/** A fact that is asserted: as the API takes it, and compared with what the API says that it stored. */
import { normalizeEntity } from '../core/entity.ts';
import { JsonNumber, type JsonValue } from '../core/json.ts';
import { encodeValue } from '../core/value.ts';
import type { Fact } from './facts.ts';

export interface NewFact {
  readonly entity: string;
  readonly relation: string;
  readonly value: string | number | boolean | null;
  /** By the value's own type if left out. */
  readonly valueType?: string;
  readonly interpretAs?: 'content' | 'instruction';
  readonly source: string;
  readonly scope: string;
  readonly confidence?: number;
  readonly validUntil?: string;
  readonly gardenId?: string;
  /** Fact ids or CIDs. */
  readonly derivedFrom?: readonly string[];
}

/** What an assertion says, in its own words or by its value. */
export function typeOf({ value, valueType }: NewFact): string {
  return valueType ?? (value === null ? 'null' : typeof value);
}

/** As `POST /v1/facts` takes it. */
export function bodyOf(fact: NewFact, type: string): unknown {
  const { entity, relation, source, scope, interpretAs, confidence = 1, validUntil, gardenId, derivedFrom = [] } = fact;
  return {
    entity,
    relation,
    value: { type, v: fact.value, ...(interpretAs === undefined ? {} : { interpret_as: interpretAs }) },
    source,
    scope,
    confidence,
    ...(validUntil === undefined ? {} : { valid_until: validUntil }),
    ...(gardenId === undefined ? {} : { garden_id: gardenId }),
    derived_from: derivedFrom.map((item) => (item.startsWith('sha256:') ? { hash: item } : { fact_id: item })),
  };
}

/** Whether what was stored is what was asserted. Names are stored in their normal form. */
export function isAbout(stored: Fact, asked: NewFact, type: string): boolean {
  const sent: JsonValue = typeof asked.value === 'number' ? new JsonNumber(JSON.stringify(asked.value)) : asked.value;
  const value = encodeValue(type, sent);
  return (
    stored.entity === normal(asked.entity) &&
    stored.relation === asked.relation &&
    stored.source === normal(asked.source) &&
    stored.scope === asked.scope &&
    stored.valueType === type &&
    value.ok &&
    stored.valueText === value.value &&
    stored.confidence === (asked.confidence ?? 1) &&
    stored.interpretAs === (asked.interpretAs ?? 'content')
  );
}

/** Names are stored in it. */
export function normal(name: string): string {
  const normalized = normalizeEntity(name);
  return normalized.ok ? normalized.value : name;
}
