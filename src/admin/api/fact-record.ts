/** The fact as the API shows it: the 26 members of the reference, in its order, all always there. */
import { jsonText } from '../../core/json.ts';
import { decodeValue } from '../../core/value.ts';
import type { CorruptFact, StoredFact } from '../../journal/read-model.ts';
import type { Refusal } from './responses.ts';

/**
 * JSON text of a FactRecord. Built by hand because numbers must keep the text they were asserted with: `JSON.stringify`
 * would turn `5.0` into `5`, which is another fact. HOT in queries.
 */
export function factRecordText(fact: StoredFact, warnings: readonly string[] = []): string {
  const e = fact.entry;
  const value = `{"type":${text(e.value_type)},"v":${jsonText(decodeValue(e.value_type, e.value_v))},"interpret_as":${text(e.interpret_as)}}`;
  const what = `"id":${text(e.fact_id)},"entity":${text(e.entity)},"relation":${text(e.relation)},"value":${value},"source":${text(e.source)}`;
  const when = `"timestamp":${text(e.timestamp)},"hlc":${text(e.hlc)},"received_from":${orNull(e.received_from)},"valid_until":${orNull(e.valid_until)}`;
  const trust = `"confidence":${e.confidence},"scope":${text(e.scope)},"attested_key_id":${orNull(e.attestation?.key_id ?? null)}`;
  const origin = `"origin_node_id":${orNull(e.origin?.node_id ?? null)},"origin_allowed_scopes":null,"garden_id":${orNull(e.garden_id)},"attested":null`;
  const judged = `"contradicted":${fact.contradicted},"warnings":${JSON.stringify(warnings)},"source_trust":null`;
  const held = `"quarantine_status":${orNull(fact.quarantine?.status ?? null)},"quarantine_garden_id":null,"effective_confidence":null`;
  const tail = `"sanitizer_warnings":[],"sanitizer_redacted":false,"cid":${text(e.cid)},"derived_from":${derivedText(e.derived_from)}`;
  return `{${what},${when},${trust},${origin},${judged},${held},${tail}}`;
}

/** References as the reference writes them: a CID under `hash`, an id under `fact_id`. */
export function derivedText(items: readonly string[]): string {
  return JSON.stringify(items.map((item) => (item.startsWith('sha256:') ? { hash: item } : { fact_id: item })));
}

/** The answer to a read that met a row which is not what was appended: never the row. */
export function corruptRefusal(corrupt: CorruptFact): Refusal {
  const message =
    corrupt.code === 'cid_mismatch'
      ? 'stored CID does not match the fact canonical body'
      : `stored fact does not match its leaf in the journal: ${corrupt.difference.field} was changed`;
  return {
    status: 409,
    detail: {
      code: corrupt.code,
      message,
      fact_id: corrupt.factId,
      computed_cid: corrupt.computedCid,
      stored_cid: corrupt.storedCid,
      chain_seq: corrupt.chainSeq,
      field: corrupt.difference.field,
    },
  };
}

function text(value: string): string {
  return JSON.stringify(value);
}

function orNull(value: string | null): string {
  return value === null ? 'null' : JSON.stringify(value);
}
