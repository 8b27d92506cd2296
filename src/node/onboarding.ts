/** Onboarding on this node: its records, its passing identities, and the one protocol that a guest may speak. */
import { randomBytes, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { openPeerFolder } from '../config/peer-folder.ts';
import type { Network } from '../core/address.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import type { OnboardingCheck } from '../core/onboarding.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import type { OnboardJournal } from '../onboard/deps.ts';
import { Onboarding } from '../onboard/onboarding.ts';
import { literalFault } from '../outbound/guarded-lookup.ts';
import { identityFromSeed } from '../transport/identity.ts';
import { createTransport } from '../transport/node.ts';
import type { Transport } from '../transport/transport.ts';
import { INVITE_PROTOCOL, PROTOCOLS } from '../wire/protocols.ts';
import type { Base } from './base.ts';
import { rulesOf } from './grants.ts';
import { SOFTWARE } from './version.ts';

const ANSWER_MS = 10_000;
/** Of a guest, who asks every 20 s: each request costs signatures to check and a file to write. */
const REQUESTS_PER_SECOND = 1;
const REQUESTS_AT_ONCE = 10;

/** @param transport of this node, once it is there */
export function openOnboarding(base: Base, transport: () => Transport | undefined): Promise<Onboarding> {
  const { config, paths, keys, identity, peerId, declaration, growth, logger, nowMs } = base;
  const { announce } = config.listen;
  const folder = openPeerFolder(paths.peers, config.nodeId);
  return Onboarding.open({
    folder: paths.onboarding,
    self: {
      nodeId: identity.nodeId,
      authority: config.authority,
      peerId,
      signer: createLogSigner(identity.nodeId, keys.node.seed),
      declaration,
      software: SOFTWARE,
      protocols: PROTOCOLS,
      addresses: () => (announce.length > 0 ? announce : (transport()?.addresses() ?? [])).map(withoutPeerId),
    },
    journal: journalOf(base),
    peersFolder: paths.peers,
    // Looked at anew: the watched folder may be two seconds behind.
    peers: () => {
      folder.rescan();
      return [...folder.state().peers.values()];
    },
    feeds: () => growth.current().feeds,
    rules: rulesOf(base),
    maxFutureSkewMs: config.federation.maxFutureSkewMs,
    whyNotDialled: (address) => whyNotDialled(address, config.network.dialled),
    tls: () => checkTls(config.api.tls, nowMs()),
    openGuest: (seed, inviter) =>
      createTransport({
        seed,
        listen: [],
        allowed: () => [inviter],
        allowedNetworks: config.network.dialled,
        swarmKey: base.swarmKey,
      }),
    peerIdOfSeed: async (seed) => (await identityFromSeed(seed)).peerId,
    onGuests: () => transport()?.refreshAllowed(),
    nowMs,
    randomBytes,
    logger,
  });
}

export function serveInvitations({ logger }: Base, transport: Transport, onboarding: Onboarding): Promise<void> {
  return transport.serve(INVITE_PROTOCOL, {
    maxInboundStreams: 1,
    limits: { idleMs: ANSWER_MS, totalMs: ANSWER_MS, maxRequestBytes: MAX_REQUEST_BYTES },
    rate: { perSecond: REQUESTS_PER_SECOND, burst: REQUESTS_AT_ONCE },
    handler: (request, context) => onboarding.answer(request, context),
    onError: (error, peerId) => logger.debug({ peer_id: peerId, error: error.message }, 'stream ended'),
  });
}

function journalOf({ writer }: Base): OnboardJournal {
  return {
    audit: (input) => writer.audit(input),
    pinIfNew: (peer, note, input) => writer.pinIfNew(peer, note, input),
    declarations: (nodeIds) => writer.declarations(nodeIds),
    successions: (nodeIds) => writer.successions(nodeIds),
  };
}

/** Peers speak Noise; TLS is that of the HTTP API, which applications and auditors reach. */
function checkTls(tls: Config['api']['tls'], nowMs: number): OnboardingCheck | null {
  if (tls === null) return null;
  const fix = 'Put a certificate that is in force into api.tls_cert_file, with its key.';
  try {
    const { validFromDate, validToDate } = new X509Certificate(readFileSync(tls.certFile));
    const ok = validFromDate.getTime() <= nowMs && nowMs < validToDate.getTime();
    const detail = `the certificate of this node’s API is good from ${validFromDate.toISOString()} to ${validToDate.toISOString()}`;
    return { name: 'tls', ok, detail, fix: ok ? null : fix };
  } catch (thrown) {
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    return { name: 'tls', ok: false, detail: `the certificate of this node’s API cannot be read: ${why}`, fix };
  }
}

function whyNotDialled(address: string, allowed: readonly Network[]): string | null {
  return literalFault(address.split('/')[2] ?? '', { from: 'peer', allowed })?.message ?? null;
}

function withoutPeerId(address: string): string {
  return address.replace(/\/p2p\/[^/]+$/, '');
}
