/** Actions that may need two persons, carried out by the journal's thread: approved and done in one transaction, or neither. */
import type { ActBy, ActOutcome } from '../core/approval.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import type { Journal } from '../journal/journal.ts';
import type { NamedPeer } from '../pull/deps.ts';
import type { KeyChange } from '../pull/errors.ts';
import type { RetryInput } from '../pull/retry-pages.ts';

export interface ApprovalMethods {
  /** Ends a suspension. @returns the sequence of its audit record */
  resumePeer(peer: NamedPeer, by: ActBy, nowMs: number): ActOutcome<number>;
  /** Lets refused facts of a peer be judged again; the run itself is recorded as it goes. */
  admitRetry(peer: NamedPeer, afterPage: number, by: ActBy, nowMs: number): ActOutcome<RetryInput['by']>;
  /** Pins a declaration of a peer in place of the one before. @returns the sequence of its audit record */
  trustKeys(peer: NamedPeer, declared: KeyChange, by: ActBy, nowMs: number): ActOutcome<number>;
  /** Ends a proposal without doing anything. */
  endProposal(id: number, by: ProposalEnding, nowMs: number): ActOutcome<null>;
}

export interface ProposalEnding {
  readonly end: 'rejected' | 'withdrawn';
  readonly actor: string;
  readonly reason: string;
}

export function approvalMethods(journal: Journal, audit: AuditReader): ApprovalMethods {
  const { approvals } = journal;
  return {
    resumePeer({ name, nodeId }, by, nowMs) {
      const input = { event: 'peer_resumed', peer: nodeId, actor: by.actor, detail: { name } };
      // Having a peer tried at once unblocks nothing: one person is enough.
      const suspension = audit.suspension(nodeId);
      if (by.approves === null && suspension === null)
        return { kind: 'done', value: journal.audit(input, nowMs), proposal: null };
      // What is ended is the suspension that was looked at: meanwhile another may have come, for something worse.
      const looked = suspension === null ? {} : { suspended_for: suspension.reason, suspension: suspension.auditSeq };
      const request = { action: 'peer.resume', subject: nodeId, params: { name, ...looked } } as const;
      return journal.durably((record) =>
        approvals.act(request, by, nowMs * 1000, ({ actor, detail }) =>
          record({ ...input, actor, detail: { name, ...detail } }, nowMs),
        ),
      );
    },
    admitRetry({ name, nodeId }, afterPage, by, nowMs) {
      const request = { action: 'peer.retry', subject: nodeId, params: { after: afterPage, name } } as const;
      return journal.durably(() =>
        approvals.act(request, by, nowMs * 1000, ({ actor, detail }) => ({ actor, why: detail.why ?? '' })),
      );
    },
    trustKeys({ name, nodeId }, { keys, note }, by, nowMs) {
      const declared = keys.map((key) => key.declared);
      const request = { action: 'peer.trust_key', subject: nodeId, params: { keys: declared, name } } as const;
      return journal.durably((record) =>
        approvals.act(request, by, nowMs * 1000, ({ actor, detail }) => {
          journal.peers.saveDeclaration(nodeId, note, nowMs * 1000);
          return record({ event: 'peer_key_trusted', peer: nodeId, actor, detail: { name, keys, ...detail } }, nowMs);
        }),
      );
    },
    endProposal: (id, by, nowMs) => journal.durably(() => approvals.end(id, by, nowMs * 1000)),
  };
}
