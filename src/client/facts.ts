/** Facts as callers see them, made of a verified entry or, where less was asked for, of what the server wrote. */
import { tryComputeCid } from '../core/cid.ts';
import type { Entry } from '../core/entry.ts';
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue } from '../core/json.ts';
import { decodeValue, encodeValue } from '../core/value.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { ProvenFact } from '../verify/fact-bundle-verdict.ts';
import type { ProvenAnchor } from '../verify/reader-trust.ts';
import { VerificationError } from './errors.ts';

/** By what a fact was proven. */
export interface FactProof {
  /** Name of the log. */
  readonly origin: string;
  /** 0-based position in it. */
  readonly index: number;
  readonly treeSize: number;
  /** Root hash, base64. */
  readonly root: string;
  /** Witnesses of the policy that cosigned the checkpoint, with POSIX seconds. */
  readonly cosigned: readonly { readonly witness: string; readonly timeSeconds: number }[];
  /** Transparency logs that have the checkpoint, where anchors were asked for. */
  readonly anchors: readonly ProvenAnchor[];
}

export interface Fact {
  readonly id: string;
  readonly cid: string;
  readonly entity: string;
  readonly relation: string;
  readonly value: string | number | boolean | null;
  readonly valueType: string;
  /** The value as it was hashed: the text of a number tells `5` from `5.0`. */
  readonly valueText: string;
  readonly interpretAs: string;
  readonly source: string;
  readonly scope: string;
  readonly confidence: number;
  readonly timestamp: string;
  readonly hlc: string;
  readonly validUntil: string | null;
  readonly gardenId: string | null;
  /** Fact ids or CIDs. */
  readonly derivedFrom: readonly string[];
  /** Node id of the peer that it was pulled from; null: asserted at this node. */
  readonly receivedFrom: string | null;
  /** Null unless it was read with `verify: 'full'`. */
  readonly proof: FactProof | null;
}

/** The fact of a verified bundle: every member stands in the entry that the leaf commits to. */
export function factOfProven({ fact, index, checkpoint, anchors }: ProvenFact): Fact {
  const { origin, size, root, cosigned } = checkpoint;
  const proof = { origin, index, treeSize: size, root: encodeBase64(root), cosigned, anchors };
  return { ...factOfEntry(fact), proof };
}

function factOfEntry(entry: Entry): Omit<Fact, 'proof'> {
  return {
    id: entry.fact_id,
    cid: entry.cid,
    entity: entry.entity,
    relation: entry.relation,
    value: plainValue(decodeValue(entry.value_type, entry.value_v)),
    valueType: entry.value_type,
    valueText: entry.value_v,
    interpretAs: entry.interpret_as,
    source: entry.source,
    scope: entry.scope,
    confidence: Number(entry.confidence),
    timestamp: entry.timestamp,
    hlc: entry.hlc,
    validUntil: entry.valid_until,
    gardenId: entry.garden_id,
    derivedFrom: entry.derived_from,
    receivedFrom: entry.received_from,
  };
}

/** The fact of a record as the server writes it. Nothing is verified. @throws VerificationError `answer_malformed` */
export function factOfRecord(record: JsonValue | undefined): Fact {
  const r = recordReader(record);
  const value = r.object('value');
  const type = text(value.get('type'));
  const v = value.get('v');
  const encoded = type === null ? undefined : encodeValue(type, v);
  if (type === null || encoded?.ok !== true) throw malformed('value');
  return {
    id: r.text('id'),
    cid: r.text('cid'),
    entity: r.text('entity'),
    relation: r.text('relation'),
    value: plainValue(v ?? null),
    valueType: type,
    valueText: encoded.value,
    interpretAs: text(value.get('interpret_as')) ?? 'content',
    source: r.text('source'),
    scope: r.text('scope'),
    confidence: r.number('confidence'),
    timestamp: r.text('timestamp'),
    hlc: r.text('hlc'),
    validUntil: r.optional('valid_until'),
    gardenId: r.optional('garden_id'),
    derivedFrom: derivedFrom(r.at('derived_from')),
    receivedFrom: r.optional('received_from'),
    proof: null,
  };
}

/** The CID that the members of a fact give; undefined if they have none. */
export function cidOfFact(fact: Omit<Fact, 'cid' | 'proof'>): string | undefined {
  const { entity, relation, scope, source, confidence, valueType: value_type, valueText: value_v } = fact;
  const cid = tryComputeCid({ confidence, entity, relation, scope, source, value_type, value_v });
  return cid.ok ? cid.value : undefined;
}

/** @throws VerificationError `cid_mismatch` */
export function demandCid(fact: Fact): Fact {
  const cid = cidOfFact(fact);
  if (cid === fact.cid) return fact;
  throw new VerificationError('cid_mismatch', `fact ${fact.id} says ${fact.cid}, its body gives ${cid ?? 'none'}`);
}

interface RecordReader {
  at(name: string): JsonValue | undefined;
  text(name: string): string;
  number(name: string): number;
  optional(name: string): string | null;
  object(name: string): JsonObject;
}

function recordReader(record: JsonValue | undefined): RecordReader {
  if (!isJsonObject(record)) throw malformed('');
  return {
    at: (name) => record.get(name),
    text: (name) => text(record.get(name)) ?? fail(name),
    number: (name) => {
      const value = record.get(name);
      return isJsonNumber(value) ? Number(value.lexeme) : fail(name);
    },
    optional: (name) => (record.get(name) === null ? null : (text(record.get(name)) ?? fail(name))),
    object: (name) => {
      const value = record.get(name);
      return isJsonObject(value) ? value : fail(name);
    },
  };
}

function derivedFrom(value: JsonValue | undefined): readonly string[] {
  if (!Array.isArray(value)) throw malformed('derived_from');
  return value.map((item) => {
    const object = isJsonObject(item) ? item : fail('derived_from');
    return text(object.get('hash')) ?? text(object.get('fact_id')) ?? fail('derived_from');
  });
}

function plainValue(value: JsonValue): Fact['value'] {
  if (isJsonNumber(value)) return Number(value.lexeme);
  return typeof value === 'object' && value !== null ? fail('value') : value;
}

function text(value: JsonValue | undefined): string | null {
  return typeof value === 'string' ? value : null;
}

/** @throws VerificationError `answer_malformed` */
export function fail(member: string): never {
  throw malformed(member);
}

/** The answer is not one of this API. */
export function malformed(member: string): VerificationError {
  return new VerificationError('answer_malformed', `the answer is not one of this API, at ${JSON.stringify(member)}`);
}
