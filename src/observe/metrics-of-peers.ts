/** Of others: peers, their keys, witnesses. */
import type { Counter, Gauge } from 'prom-client';
import { type Makers, NS } from './metric-makers.ts';

/** Names that dashboards and alerts of the Stigmem reference use. */
export interface ReferenceMetrics {
  readonly factWrites: Counter<'principal' | 'tenant'>;
  readonly factReads: Counter<'principal' | 'tenant'>;
  readonly federationIngress: Counter<'peer_id' | 'status'>;
  readonly hlcAnomalies: Counter<'peer_id' | 'direction'>;
  readonly replicationLagSeconds: Gauge<'peer_id'>;
}

export function referenceMetrics(make: Makers): ReferenceMetrics {
  return {
    factWrites: make.counter('stigmem_fact_write_total', 'Facts asserted through the API, repeats included', [
      'principal',
      'tenant',
    ]),
    factReads: make.counter('stigmem_fact_read_total', 'Facts given out by the API', ['principal', 'tenant']),
    federationIngress: make.counter('stigmem_federation_ingress_total', 'Facts received from peers and their fate', [
      'peer_id',
      'status',
    ]),
    hlcAnomalies: make.counter('stigmem_peer_hlc_anomaly_total', 'Facts refused because their clock is out of bounds', [
      'peer_id',
      'direction',
    ]),
    replicationLagSeconds: make.gauge(
      'stigmem_replication_lag_seconds',
      'Time since the last page taken from a peer that is behind',
      ['peer_id'],
    ),
  };
}

export interface PeerMetrics {
  readonly pagesVerified: Counter<'peer'>;
  readonly pagesRefused: Counter<'peer' | 'reason'>;
  readonly factsAccepted: Counter<'peer' | 'feed'>;
  readonly factsGiven: Counter;
  readonly factsRefused: Counter<'peer' | 'event' | 'reason'>;
  readonly peerState: Gauge<'peer' | 'state'>;
  readonly peerRefusesOurs: Gauge<'peer'>;
  readonly peersUnconfirmed: Gauge;
  readonly noticesDropped: Counter<'peer' | 'code'>;
  readonly peerCircuit: Gauge<'peer' | 'state'>;
  readonly peerLagEntries: Gauge<'peer'>;
}

export function peerMetrics(make: Makers): PeerMetrics {
  return {
    pagesVerified: make.counter(`${NS}_pages_verified_total`, 'Pages taken from a peer', ['peer']),
    pagesRefused: make.counter(`${NS}_pages_refused_total`, 'Whole pages refused', ['peer', 'reason']),
    factsAccepted: make.counter(`${NS}_facts_accepted_total`, 'Facts accepted from a peer, by feed', ['peer', 'feed']),
    factsGiven: make.counter(
      `${NS}_facts_given_total`,
      'Facts that peers were given, those that they had before included',
    ),
    factsRefused: make.counter(`${NS}_facts_refused_total`, 'Facts refused, by audit event and reason', [
      'peer',
      'event',
      'reason',
    ]),
    peerState: make.gauge(`${NS}_peer_state`, '1 for the state a peer is in, 0 for the others', ['peer', 'state']),
    peerRefusesOurs: make.gauge(`${NS}_peer_refuses_ours`, 'Facts of ours that a peer says it refuses, as of now', [
      'peer',
    ]),
    peersUnconfirmed: make.gauge(
      `${NS}_peers_unconfirmed`,
      'Peers whose log key nobody has confirmed: nothing is taken from them or given to them',
    ),
    noticesDropped: make.counter(`${NS}_notices_dropped_total`, 'Refusal notices of a peer that were not kept', [
      'peer',
      'code',
    ]),
    peerCircuit: make.gauge(`${NS}_peer_circuit`, '1 for the state a peer’s circuit is in, 0 for the others', [
      'peer',
      'state',
    ]),
    peerLagEntries: make.gauge(`${NS}_peer_lag_entries`, 'Entries of granted feeds that a peer has and we do not', [
      'peer',
    ]),
  };
}

export interface KeyMetrics {
  readonly keyExpirySeconds: Gauge<'node' | 'use' | 'key_id'>;
}

export function keyMetrics(make: Makers): KeyMetrics {
  return {
    keyExpirySeconds: make.gauge(
      `${NS}_key_expiry_seconds`,
      'Time until a declared key ends, below 0 once it has; no series for a key without an end or with a successor',
      ['node', 'use', 'key_id'],
    ),
  };
}

export interface WitnessMetrics {
  readonly cosignRequests: Counter<'outcome'>;
  readonly witnessAnswers: Counter<'witness' | 'outcome'>;
  readonly witnessPolicyMet: Gauge;
  readonly gossipHeads: Counter;
  readonly contradictions: Counter<'peer'>;
  readonly unreconciledHeads: Counter<'peer'>;
}

export function witnessMetrics(make: Makers): WitnessMetrics {
  return {
    cosignRequests: make.counter(`${NS}_cosign_requests_total`, 'Checkpoints of others that were to be cosigned', [
      'outcome',
    ]),
    witnessAnswers: make.counter(`${NS}_witness_answers_total`, 'Answers of witnesses about checkpoints of ours', [
      'witness',
      'outcome',
    ]),
    witnessPolicyMet: make.gauge(
      `${NS}_witness_policy_met`,
      '1: the newest checkpoint has the cosignatures of our own policy, or there is no policy; 0: it lacks some',
    ),
    gossipHeads: make.counter(`${NS}_gossip_heads_total`, 'Heads of third nodes that peers have shown'),
    contradictions: make.counter(`${NS}_contradictions_total`, 'Logs that signed two histories', ['peer']),
    unreconciledHeads: make.counter(
      `${NS}_unreconciled_heads_total`,
      'Heads that a log did not join with what we verified of it',
      ['peer'],
    ),
  };
}
