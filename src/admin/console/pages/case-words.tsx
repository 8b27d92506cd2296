import type { CaseState } from '../../../core/case-state.ts';
import type { ShownCase } from '../../api/case-schemas.ts';
import { type Html, Pill, type Tone } from '../parts.tsx';

const STATE: Readonly<Record<CaseState, readonly [tone: Tone, word: string]>> = {
  new: ['accent', 'new'],
  reopened: ['accent', 'reopened'],
  acknowledged: ['low', 'acknowledged'],
  investigating: ['low', 'investigating'],
  waiting: ['medium', 'waiting on peer'],
  resolved: ['good', 'resolved'],
  suppressed: ['', 'suppressed'],
};

export function StatePill({ state }: { state: CaseState }): Html {
  const [tone, word] = STATE[state];
  return <Pill tone={tone}>{word}</Pill>;
}

export function stateWord(state: CaseState): string {
  return STATE[state][1];
}

export function caseTitle({ reason, topic }: Pick<ShownCase, 'reason' | 'topic'>): string {
  const what = topic === 'refusal' ? (reason ?? topic) : topic;
  return what.replaceAll('_', ' ');
}

export function casePeer({ peer, peer_id }: Pick<ShownCase, 'peer' | 'peer_id'>): string {
  return peer ?? peer_id ?? 'this node';
}
