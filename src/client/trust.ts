import { isNodeId } from '../core/node-id.ts';
import { ALG_ED25519 } from '../merkle/note.ts';
import { parsePolicy } from '../merkle/tlog-policy.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import type { ReaderTrust, TrustedLog } from '../verify/reader-trust.ts';
import { peerKeyOf } from '../wire/peer-key.ts';

/** What a reader was given by other means than the server itself: on paper, from a colleague, from a release. */
export interface TrustOptions {
  /** Verifier keys of logs, `name+hash+base64`. */
  readonly logKeys?: readonly string[];
  /** Nodes by their identity; their signed declarations say which log keys are theirs. */
  readonly nodes?: readonly { readonly nodeId: string; readonly peerId: string }[];
  /** C2SP tlog-policy text: which witnesses have to have cosigned. Its log lines count as `logKeys`. */
  readonly policy?: string;
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
  if (logs.length + nodes.length > 0) return { logs, nodes, policy, anchors: null };
  throw new TypeError('expected something to trust: logKeys, nodes, or log lines in policy');
}

function readPolicy(text: string): NonNullable<ReaderTrust['policy']> {
  const policy = parsePolicy(text);
  if (policy.ok) return policy.value;
  throw new TypeError(`expected a tlog-policy, got line ${policy.error.line}: ${policy.error.message}`);
}

function readLogKey(vkey: string): TrustedLog {
  const key = parseVerifierKey(vkey);
  if (key.ok && key.value.algorithm === ALG_ED25519) return { origin: key.value.name, key: key.value.publicKey };
  throw new TypeError(
    `expected the verifier key of a log (name+hash+base64), got ${JSON.stringify(vkey.slice(0, 80))}`,
  );
}
