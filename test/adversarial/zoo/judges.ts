/** What a node has to say of a peer, as its API says it. */
import { isPageReason, PENALTY, type Reason } from '../../../src/core/verdict.ts';
import type { Judge } from './animal.ts';
import type { Victim } from './victim.ts';

const peerOf = async (victim: Victim, nodeId: string) => {
  const { status, body } = await victim.get(`/v1/federation/peers/${encodeURIComponent(nodeId)}`);
  return status === 200 ? body : undefined;
};

/** An audit record about the peer with this event and reason. */
export function recorded(event: string, reason: string | null): Judge {
  return async (victim, nodeId) => {
    const found = await victim.audit(`peer_id=${encodeURIComponent(nodeId)}&event_type=${event}`);
    return found.some((record) => record.reason === reason) ? [] : null;
  };
}

/** A page is refused, with a record, its evidence, and what it costs. */
export function refusedPage(reason: Reason): Judge {
  return async (victim, nodeId) => {
    const found = await victim.audit(`peer_id=${encodeURIComponent(nodeId)}&reason=${reason}`);
    const record = found.find(({ event_type }) => event_type === 'federation_integrity_rejected');
    if (record === undefined) return null;
    const { body } = await victim.get(`/v1/federation/audit/${record.seq}`);
    const isSuspended = found.some(({ event_type }) => event_type === 'peer_suspended');
    const expected = isPageReason(reason) && PENALTY[reason] === 'suspended';
    if (expected && !isSuspended) return null;
    return [
      ...(body.intact === true && body.evidence?.reason === reason ? [] : [`no evidence for record ${record.seq}`]),
      ...(isSuspended === expected ? [] : [`expected suspended: ${expected}, got ${isSuspended}`]),
    ];
  };
}

/** The node waits, and says in words what for. */
export function saysThat(words: RegExp): Judge {
  return async (victim, nodeId) => {
    const peer = await peerOf(victim, nodeId);
    return peer !== undefined && words.test(`${peer.waiting_on} ${peer.last_error}`) ? [] : null;
  };
}

/** Everything of a flood is refused, in few records; the one of another kind has its own. */
export function summarized(lies: number, most: number, needle: Reason): Judge {
  return async (victim, nodeId) => {
    const peer = await peerOf(victim, nodeId);
    if (peer === undefined || peer.refused < lies) return null;
    const records = await victim.audit(`peer_id=${encodeURIComponent(nodeId)}`);
    const needles = records.filter(({ reason }) => reason === needle);
    return [
      ...(records.length <= most ? [] : [`${records.length} records of ${lies} lies`]),
      ...(needles.length === 1 ? [] : [`${needles.length} records of ${needle}`]),
    ];
  };
}

/** What the peer has signed of ours counts for nothing unless it is true. */
export const acknowledgesNothing: Judge = async (victim, nodeId) => {
  const peer = await peerOf(victim, nodeId);
  if (peer === undefined) return null;
  return peer.acknowledged.length === 0 ? [] : [`acknowledged ${JSON.stringify(peer.acknowledged)}`];
};

/** The node does its work. */
export async function isServing(victim: Victim): Promise<readonly string[]> {
  const { status, body } = await victim.get('/readyz');
  return status === 200 ? [] : [`not ready: ${JSON.stringify(body)}`];
}
