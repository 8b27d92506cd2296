/**
 * Protocol ids as peers negotiate them. A change that an old peer would misread gets a new version here; a message
 * additionally says its own `v`.
 */

export const HELLO_PROTOCOL = '/stigmem/federation/hello/1.0.0';
export const PULL_PROTOCOL = '/stigmem/federation/pull/1.0.0';
export const WATCH_PROTOCOL = '/stigmem/federation/watch/1.0.0';
export const PROOF_PROTOCOL = '/stigmem/federation/proof/1.0.0';
export const RECOVER_PROTOCOL = '/stigmem/federation/recover/1.0.0';
export const WITNESS_PROTOCOL = '/stigmem/federation/witness/1.0.0';
export const RECEIPT_PROTOCOL = '/stigmem/federation/receipt/1.0.0';
export const CLOSURE_PROTOCOL = '/stigmem/federation/closure/1.0.0';
export const KEEP_PROTOCOL = '/stigmem/federation/keep/1.0.0';
export const NOTICE_PROTOCOL = '/stigmem/federation/notice/1.0.0';
export const RELAY_PROTOCOL = '/stigmem/federation/relay/1.0.0';
export const ERASURE_PROTOCOL = '/stigmem/federation/erasure/1.0.0';
export const ERASURE_RELAY_PROTOCOL = '/stigmem/federation/erasure-relay/1.0.0';
export const INVITE_PROTOCOL = '/stigmem/federation/invite/1.0.0';

/** What this version speaks, in the order in which `hello` lists it. */
export const PROTOCOLS: readonly string[] = [
  HELLO_PROTOCOL,
  PULL_PROTOCOL,
  WATCH_PROTOCOL,
  PROOF_PROTOCOL,
  RECOVER_PROTOCOL,
  WITNESS_PROTOCOL,
  RECEIPT_PROTOCOL,
  CLOSURE_PROTOCOL,
  KEEP_PROTOCOL,
  NOTICE_PROTOCOL,
  RELAY_PROTOCOL,
  ERASURE_PROTOCOL,
  ERASURE_RELAY_PROTOCOL,
  INVITE_PROTOCOL,
];
