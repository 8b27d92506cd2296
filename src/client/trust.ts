import { isNodeId } from '../core/node-id.ts';
import { ALG_ECDSA, ALG_ED25519 } from '../merkle/note.ts';
import { parsePolicy } from '../merkle/tlog-policy.ts';
import { parseTrustedRoot } from '../merkle/trusted-root.ts';
import { parseVerifierKey, type VerifierKey } from '../merkle/verifier-key.ts';
import type { AnchorRequirement, ReaderTrust, TrustedLog } from '../verify/reader-trust.ts';
import { peerKeyOf } from '../wire/peer-key.ts';

/** What a reader was given by other means than the server itself: on paper, from a colleague, from a release. */
export interface TrustOptions {
  /** Verifier keys of logs, `name+hash+base64`. */
  readonly logKeys?: readonly string[];
  /** Nodes by their identity; their signed declarations say which log keys are theirs. */
  readonly nodes?: readonly {
    readonly nodeId: string;
    readonly peerId: string;
    /** Its journal's name. If left out, the first one that a reader sees is kept, and another one is refused. */
    readonly origin?: string;
  }[];
  /** C2SP tlog-policy text: which witnesses have to have cosigned. Its log lines count as `logKeys`. */
  readonly policy?: string;
  /** If given, a transparency log of this Sigstore trusted root has to have the checkpoint of each fact. */
  readonly anchors?: {
    /** JSON text of `trusted_root.json`. */
    readonly trustedRoot: string;
    /** Verifier keys of anchor keys; those in the declaration of a trusted node count without. */
    readonly keys?: readonly string[];
  };
}

/**
 * Reads what is trusted.
 *
 * @throws TypeError if a key, node or policy is none, or nothing is trusted at all
 */
export function trustOf(options: TrustOptions): ReaderTrust {
  const policy = options.policy === undefined ? null : readPolicy(options.policy);
  const logs = [...(options.logKeys ?? []), ...(policy?.logs ?? []).map(({ vkey }) => vkey)].map(readLogKey);
  const nodes = (options.nodes ?? []).map(({ nodeId, peerId }) => {
    const nodeKey = peerKeyOf(peerId);
    if (!isNodeId(nodeId)) throw new TypeError(`expected a node id (stigmem://…), got ${JSON.stringify(nodeId)}`);
    if (nodeKey === undefined) throw new TypeError(`expected a peer id (12D3Koo…), got ${JSON.stringify(peerId)}`);
    return { nodeId, nodeKey };
  });
  const anchors = options.anchors === undefined ? null : readAnchors(options.anchors);
  if (logs.length + nodes.length > 0) return { logs, nodes, policy, anchors };
  throw new TypeError('expected something to trust: logKeys, nodes, or log lines in policy');
}

function readPolicy(text: string): NonNullable<ReaderTrust['policy']> {
  const policy = parsePolicy(text);
  if (policy.ok) return policy.value;
  throw new TypeError(`expected a tlog-policy, got line ${policy.error.line}: ${policy.error.message}`);
}

/** @throws TypeError if the trusted root or a key is none */
export function readAnchors({ trustedRoot, keys = [] }: NonNullable<TrustOptions['anchors']>): AnchorRequirement {
  const logs = parseTrustedRoot(trustedRoot);
  if (!logs.ok) throw new TypeError(logs.error);
  return { logs: logs.value, keys: keys.map(readAnchorKey) };
}

function readAnchorKey(vkey: string): VerifierKey {
  const key = parseVerifierKey(vkey);
  if (key.ok && key.value.algorithm === ALG_ECDSA) return key.value;
  throw new TypeError(`expected the verifier key of an anchor key, got ${JSON.stringify(vkey.slice(0, 80))}`);
}

function readLogKey(vkey: string): TrustedLog {
  const key = parseVerifierKey(vkey);
  if (key.ok && key.value.algorithm === ALG_ED25519) return { origin: key.value.name, key: key.value.publicKey };
  throw new TypeError(
    `expected the verifier key of a log (name+hash+base64), got ${JSON.stringify(vkey.slice(0, 80))}`,
  );
}
