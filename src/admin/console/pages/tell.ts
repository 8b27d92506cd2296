import type { Proposal } from '../../../core/approval.ts';
import type { Answer } from '../ask.ts';
import type { Visit } from '../desk.ts';
import { seeOther } from '../headers.ts';

/** Goes on to a page that says what became of a form. What needs two persons is proposed: the API says so with 202. */
export function tell({ frame }: Visit, answer: Answer<unknown>, done: string, next: string): Response {
  frame.session.tell(noticeOf(answer, done));
  return seeOther(next);
}

function noticeOf(answer: Answer<unknown>, done: string): { kind: 'done' | 'failed'; text: string } {
  if (!answer.ok) return { kind: 'failed', text: answer.message };
  if (answer.status !== 202) return { kind: 'done', text: done };
  const { proposal } = answer.value as { proposal?: Proposal };
  return {
    kind: 'done',
    text: `Proposed${proposal === undefined ? '' : ` as ${proposal.id}`}. Another person has to approve it.`,
  };
}
