/** Refusal notices in a running node: who is told when some came, and what is counted. */
import type { PeerSessions } from '../pull/peer-sessions.ts';
import type { NoticeDeps } from '../serve/answer-notice.ts';
import type { Base } from './base.ts';

/** @param sessions asked late: they are made after the protocols that they listen to */
export function noticesOf(
  { writer, events }: Base,
  sessions: () => PeerSessions | undefined,
): Pick<NoticeDeps, 'takeNotices'> {
  return {
    async takeNotices(nodeId, notices) {
      const outcome = await writer.takeNotices(nodeId, notices);
      if (outcome.changed > 0) await sessions()?.refresh(nodeId);
      const name = sessions()?.get(nodeId)?.name;
      if (name !== undefined) events.noticesTaken(name, outcome.changed, outcome.dropped);
      return outcome;
    },
  };
}
