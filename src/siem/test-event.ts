/** An event that stands in no log: whether a sink takes events can be asked without waiting for one. */
import { isoMicros } from '../core/time.ts';
import { type SiemEvent, type SiemNode, siemEventOf, TEST_EVENT } from './siem-event.ts';

/** Sequence 0, which no record has. */
export function testEvent(node: SiemNode, nowMs: number): SiemEvent {
  const record = {
    actor: 'system',
    at: isoMicros(nowMs * 1_000),
    chain_seq: null,
    cid: null,
    detail: {},
    event: TEST_EVENT,
    evidence: null,
    fact_id: null,
    feed: null,
    is_drill: true,
    peer: null,
    previous_hash: null,
    reason: null,
    seq: 0,
    v: 1,
  };
  return siemEventOf({ seq: 0, body: JSON.stringify(record) }, node);
}
