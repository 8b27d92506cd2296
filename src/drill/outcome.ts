/** What the node has made of a drill's lie, and whether that is what it has to make of it. Pure. */
import type { DrillFault, DrillForm, DrillRun } from '../core/drill.ts';
import type { IngestOutcome } from '../pull/ingest.ts';

/** The refusal; or why there was none, or another one. */
export interface Judged {
  readonly seen: DrillRun['seen'];
  readonly fault: DrillFault | null;
}

const PAGE_EVENT = 'federation_integrity_rejected';

/** @returns null: the node has said nothing of the lie yet */
export function judgeOutcome(outcome: IngestOutcome, expected: Pick<DrillForm, 'event' | 'reason'>): Judged | null {
  if (outcome.kind === 'withheld') return { seen: null, fault: accepted(outcome.accepted) };
  if (outcome.kind === 'refused') {
    const { reason, auditSeq } = outcome;
    return judgeSeen([{ event: PAGE_EVENT, reason, auditSeq }], expected);
  }
  if (outcome.kind !== 'appended') return null;
  if (outcome.accepted > 0) return { seen: null, fault: accepted(outcome.accepted) };
  return outcome.refused.length === 0 ? null : judgeSeen(outcome.refused, expected);
}

type Seen = { readonly event: string; readonly reason: string; readonly auditSeq: number };

/** All that was refused has to have the one reason: a drill that ends by another rule says nothing of this one. */
export function judgeSeen(refused: readonly Seen[], { event, reason }: Pick<DrillForm, 'event' | 'reason'>): Judged {
  const other = refused.find((one) => one.event !== event || one.reason !== reason);
  const told = other ?? refused[0];
  if (told === undefined) return { seen: null, fault: { code: 'no_verdict', message: 'nothing was refused' } };
  const seen = { event: told.event, reason: told.reason, audit_seq: told.auditSeq };
  if (other === undefined) return { seen, fault: null };
  const message = `expected ${event}: ${reason}, got ${other.event}: ${other.reason}`;
  return { seen, fault: { code: 'other_reason', message } };
}

function accepted(count: number): DrillFault {
  const what = count === 1 ? 'a fact of the attack passes' : `${count} facts of the attack pass`;
  return { code: 'accepted', message: `${what} every rule; nothing of it was taken` };
}
