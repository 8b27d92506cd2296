import { type Entry, isConfidenceText, type Origin } from './entry-record.ts';

/**
 * The grammar of an entry's canonical text, as one regular expression: keys in their order, no white space, one
 * spelling per value. An entry passes here once per hop, and the engine matches a pattern faster than any loop of
 * ours. No alternative can match in two ways, so refusing takes linear time too.
 */
const PLAIN = '[^"\\\\\\x00-\\x1f]*';
// Minimal escapes only: the short ones, and \u00xx for the control characters that have none.
const ESCAPE = '\\\\(?:["\\\\bfnrt]|u00(?:0[0-7bef]|1[0-9a-f]))';
const CONTENT = `${PLAIN}(?:${ESCAPE}${PLAIN})*`;
const TEXT = `"(${CONTENT})"`;
const TEXTS = `\\[((?:"${CONTENT}"(?:,"${CONTENT}")*)?)\\]`;
const HASH = '"(sha256:[0-9a-f]{64})"';
const INTEGER = '(0|[1-9][0-9]{0,15})';
const BASE64_HASH = '"([A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=)"';
const ENTRY = new RegExp(
  [
    `^\\{"attestation":(?:null|\\{"key_id":${TEXT},"signature":${TEXT}\\})`,
    `"chain_hash":${HASH}`,
    `"chain_seq":${INTEGER}`,
    `"cid":${TEXT}`,
    `"confidence":"([0-9][0-9.e-]{0,24})"`,
    `"created_at":${TEXT}`,
    `"derived_from":${TEXTS}`,
    `"entity":${TEXT}`,
    `"event_hash":${HASH}`,
    `"fact_id":${TEXT}`,
    `"feed_seq":${INTEGER}`,
    `"garden_id":(?:null|${TEXT})`,
    `"hlc":"([0-9]{13}\\.[0-9]{3})"`,
    `"interpret_as":${TEXT}`,
    `"origin":(?:null|\\{"chain_seq":${INTEGER},"leaf_hash":${BASE64_HASH},"node_id":${TEXT}\\})`,
    `"previous_hash":(?:null|${HASH})`,
    `"received_from":(?:null|${TEXT})`,
    `"relation":${TEXT}`,
    `"scope":${TEXT}`,
    `"source":${TEXT}`,
    `"tenant_id":"default","timestamp":${TEXT}`,
    `"v":1,"valid_until":(?:null|${TEXT})`,
    `"value_type":${TEXT}`,
    `"value_v":${TEXT}\\}$`,
  ].join(','),
);
const LISTED_TEXT = new RegExp(TEXT, 'g');

/**
 * Reads the canonical text of an entry, and nothing but that; two texts never give the same entry. Null: something
 * else; why is for a slower reader to find out.
 *
 * @param text decoded from valid UTF-8, so without lone surrogates
 */
export function scanEntry(text: string): Entry | null {
  const found = ENTRY.exec(text);
  if (found === null) return null;
  const part = text.includes('\\') ? decoded(found) : found;
  const entry: Entry = {
    attestation: part[1] === undefined ? null : { key_id: part[1], signature: part[2] ?? '' },
    chain_hash: part[3] ?? '',
    chain_seq: Number(part[4]),
    cid: part[5] ?? '',
    confidence: part[6] ?? '',
    created_at: part[7] ?? '',
    derived_from: part[DERIVED_FROM] === '' ? [] : listedTexts(part[DERIVED_FROM] ?? ''),
    entity: part[9] ?? '',
    event_hash: part[10] ?? '',
    fact_id: part[11] ?? '',
    feed_seq: Number(part[12]),
    garden_id: part[13] ?? null,
    hlc: part[14] ?? '',
    interpret_as: part[15] ?? '',
    origin: originOf(part),
    previous_hash: part[19] ?? null,
    received_from: part[20] ?? null,
    relation: part[21] ?? '',
    scope: part[22] ?? '',
    source: part[23] ?? '',
    tenant_id: 'default',
    timestamp: part[24] ?? '',
    v: 1,
    valid_until: part[25] ?? null,
    value_type: part[26] ?? '',
    value_v: part[27] ?? '',
  };
  return isInRange(entry) ? entry : null;
}

/** The groups of a match; undefined where the pattern took a `null`. */
type Groups = readonly (string | undefined)[];

/** Position of the list among the groups; its strings are decoded one by one. */
const DERIVED_FROM = 8;

function originOf(part: Groups): Origin | null {
  if (part[16] === undefined) return null;
  return { chain_seq: Number(part[16]), leaf_hash: part[17] ?? '', node_id: part[18] ?? '' };
}

/** What a pattern cannot tell: sixteen digits may be beyond 2^53, digits may not be the shortest of their double. */
function isInRange(entry: Entry): boolean {
  return (
    entry.chain_seq <= Number.MAX_SAFE_INTEGER &&
    entry.feed_seq <= Number.MAX_SAFE_INTEGER &&
    isOriginInRange(entry.origin) &&
    isConfidenceText(entry.confidence)
  );
}

function isOriginInRange(origin: Origin | null): boolean {
  return origin === null || origin.chain_seq <= Number.MAX_SAFE_INTEGER;
}

function decoded(found: Groups): Groups {
  return found.map((part, group) =>
    part === undefined || group === 0 || group === DERIVED_FROM ? part : decodeEscapes(part),
  );
}

function listedTexts(list: string): string[] {
  return Array.from(list.matchAll(LISTED_TEXT), (listed) => decodeEscapes(listed[1] ?? ''));
}

function decodeEscapes(content: string): string {
  // The pattern has let through minimal escapes only, and JSON.parse reads those as every JSON reader does.
  return content.includes('\\') ? String(JSON.parse(`"${content}"`)) : content;
}
