/** What the hostile node of the demo says, and why an honest one refuses it. */

import { cidOfText } from '../../core/cid.ts';
import type { Entry } from '../../core/entry.ts';
import { formatHlc } from '../../core/hlc.ts';
import { HOUR_MS } from '../../core/time.ts';
import type { FactReason } from '../../core/verdict.ts';

export const HOSTILE_AUTHORITY = 'mallory.example';

/** Members of the next entry that are not as they should be; the rest of the log is built upon them, and signed. */
export type Forgery = Partial<Entry>;

export interface Lie {
  readonly reason: FactReason;
  /** What it tries, for people. */
  readonly attempt: string;
  /**
   * @param nowMs of the liar's own clock
   * @param victim an honest entry of the same log
   */
  readonly forge: (nowMs: number, victim: Entry) => Forgery;
}

const PRICE = `stigmem://${HOSTILE_AUTHORITY}/offer/price`;

/** One lie of each kind, in the order in which they are told. */
export const LIES: readonly Lie[] = [
  {
    reason: 'cid_mismatch',
    attempt: 'alters a fact and keeps the CID of the fact that was agreed upon',
    forge: (_nowMs, victim) => {
      const body = { ...victim, entity: PRICE, relation: 'offer:price', value_v: '900' };
      const agreed = cidOfText('1.0', { ...body, value_v: '100' });
      return { entity: body.entity, relation: body.relation, value_v: body.value_v, cid: agreed };
    },
  },
  {
    reason: 'source_not_owned',
    attempt: 'speaks in the name of cldr.example',
    forge: () => ({ source: 'stigmem://cldr.example/import/cldr', value_v: 'Klingon' }),
  },
  {
    reason: 'scope_escalated',
    attempt: 'slips a local fact into the public feed',
    forge: () => ({ scope: 'local', value_v: 'for this node alone' }),
  },
  {
    reason: 'hlc_future',
    attempt: 'dates a fact an hour ahead, to win over later ones',
    forge: (nowMs) => ({ hlc: formatHlc({ wall: nowMs + HOUR_MS, counter: 0 }), value_v: 'from tomorrow' }),
  },
  {
    reason: 'fact_rewritten',
    attempt: 'says something else under the id of a fact it gave before',
    forge: (_nowMs, victim) => ({ fact_id: victim.fact_id, value_v: 'I never said that' }),
  },
];
