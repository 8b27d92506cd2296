/** Verified facts in the form in which the log takes them. Written out member by member: this runs for each fact. */
import { eventHash } from '../core/chain.ts';
import { pythonFloatText } from '../core/python-text.ts';
import type { VerifiedAssertion } from '../verify/assertion.ts';
import type { VerifiedBatch } from '../verify/judge.ts';
import type { Draft } from './entry-log.ts';

/** What the node gives to a fact that is asserted at it. */
export interface Given {
  readonly factId: string;
  readonly hlc: string;
  readonly timestamp: string;
}

export function draftOwn(assertion: VerifiedAssertion, { factId, hlc, timestamp }: Given): Draft {
  const { body, cid } = assertion;
  return {
    attestation: assertion.attestation,
    cid,
    confidence: pythonFloatText(body.confidence),
    derived_from: assertion.derived_from,
    entity: body.entity,
    event_hash: eventHash({ ...body, cid, fact_id: factId, tenant_id: 'default' }),
    fact_id: factId,
    garden_id: assertion.garden_id,
    hlc,
    interpret_as: assertion.interpret_as,
    origin: null,
    received_from: null,
    relation: body.relation,
    scope: body.scope,
    source: body.source,
    timestamp,
    valid_until: assertion.valid_until,
    value_type: body.value_type,
    value_v: body.value_v,
  };
}

/** A peer's fact keeps what its origin said; the place it has there becomes its origin here. */
export function draftReceived({ entry, leafHash }: VerifiedBatch['accepted'][number], nodeId: string): Draft {
  return {
    attestation: entry.attestation,
    cid: entry.cid,
    confidence: entry.confidence,
    derived_from: entry.derived_from,
    entity: entry.entity,
    event_hash: entry.event_hash,
    fact_id: entry.fact_id,
    garden_id: entry.garden_id,
    hlc: entry.hlc,
    interpret_as: entry.interpret_as,
    origin: { chain_seq: entry.chain_seq, leaf_hash: Buffer.from(leafHash).toString('base64'), node_id: nodeId },
    received_from: nodeId,
    relation: entry.relation,
    scope: entry.scope,
    source: entry.source,
    timestamp: entry.timestamp,
    valid_until: entry.valid_until,
    value_type: entry.value_type,
    value_v: entry.value_v,
  };
}
