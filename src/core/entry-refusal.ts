import { ENTRY_KEYS, isBase64Hash, isConfidenceText, isEntryHlc, isHashText } from './entry-record.ts';
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue, parseJson } from './json.ts';

export interface EntryRefusal {
  readonly code: 'entry_malformed' | 'entry_noncanonical' | 'cid_missing';
  /** The key that is wrong, dotted; empty for the text as a whole. Never text of the sender's choice. */
  readonly at: string;
}

const INTEGER = /^(?:0|[1-9][0-9]*)$/;
/** An entry nests one level inside its own. */
const MAX_DEPTH = 2;

/** Says why a text is not an entry. Off the fast path: only asked once the strict reader has refused. */
export function whyRefused(text: string): EntryRefusal {
  const parsed = parseJson(text, { maxDepth: MAX_DEPTH, duplicateKeys: 'refuse' });
  if (!parsed.ok || !isJsonObject(parsed.value)) return { code: 'entry_malformed', at: '' };
  const entry = parsed.value;
  const cidMissing = (entry.get('cid') ?? null) === null;
  const wrong = firstWrongKey(entry, cidMissing);
  if (wrong !== null) return { code: 'entry_malformed', at: wrong };
  if (cidMissing) return { code: 'cid_missing', at: 'cid' };
  return { code: 'entry_noncanonical', at: '' };
}

function firstWrongKey(entry: JsonObject, cidMissing: boolean): string | null {
  for (const key of ENTRY_KEYS) {
    if (key === 'cid' && cidMissing) continue;
    const wrong = FIELDS[key](entry.get(key));
    if (wrong !== null) return wrong === '' ? key : `${key}.${wrong}`;
  }
  const known = cidMissing && !entry.has('cid') ? ENTRY_KEYS.length - 1 : ENTRY_KEYS.length;
  return entry.size === known ? null : '';
}

/** Null: fine. Empty: wrong. Otherwise the inner key that is wrong. */
type Check = (value: JsonValue | undefined) => string | null;

const text: Check = (value) => wrongUnless(isText(value));
const hash: Check = (value) => wrongUnless(isText(value) && isHashText(value));
const integer: Check = (value) => wrongUnless(isInteger(value));

const FIELDS: Readonly<Record<(typeof ENTRY_KEYS)[number], Check>> = {
  attestation: orNull((value) => checkMembers(value, { key_id: text, signature: text })),
  chain_hash: hash,
  chain_seq: integer,
  cid: text,
  confidence: (value) => wrongUnless(isText(value) && isConfidenceText(value)),
  created_at: text,
  derived_from: (value) => wrongUnless(Array.isArray(value) && value.every(isText)),
  entity: text,
  event_hash: hash,
  fact_id: text,
  feed_seq: integer,
  garden_id: orNull(text),
  hlc: (value) => wrongUnless(isText(value) && isEntryHlc(value)),
  interpret_as: text,
  origin: orNull((value) => checkMembers(value, { chain_seq: integer, leaf_hash: base64Hash, node_id: text })),
  previous_hash: orNull(hash),
  received_from: orNull(text),
  relation: text,
  scope: text,
  source: text,
  tenant_id: (value) => wrongUnless(value === 'default'),
  timestamp: text,
  v: (value) => wrongUnless(isJsonNumber(value) && value.lexeme === '1'),
  valid_until: orNull(text),
  value_type: text,
  value_v: text,
};

function wrongUnless(right: boolean): string | null {
  return right ? null : '';
}

function orNull(check: Check): Check {
  return (value) => (value === null ? null : check(value));
}

function base64Hash(value: JsonValue | undefined): string | null {
  return wrongUnless(isText(value) && isBase64Hash(value));
}

function checkMembers(value: JsonValue | undefined, members: Readonly<Record<string, Check>>): string | null {
  if (!isJsonObject(value) || value.size !== Object.keys(members).length) return '';
  for (const [key, check] of Object.entries(members)) if (check(value.get(key)) !== null) return key;
  return null;
}

function isText(value: JsonValue | undefined): value is string {
  return typeof value === 'string' && value.isWellFormed();
}

function isInteger(value: JsonValue | undefined): boolean {
  return isJsonNumber(value) && INTEGER.test(value.lexeme) && Number.isSafeInteger(Number(value.lexeme));
}
