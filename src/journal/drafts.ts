/** Verified assertions in the form in which the log takes them. Written out member by member: this runs for each fact. */
import { eventHash } from '../core/chain.ts';
import type { Draft } from '../core/draft.ts';
import { pythonFloatText } from '../core/python-text.ts';
import type { VerifiedAssertion } from '../verify/assertion.ts';

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
