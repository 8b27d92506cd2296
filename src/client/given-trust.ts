/** What is trusted, as it stands on a command line. */
import { type TrustOptions, trustOf } from './trust.ts';

/** Names are those of the options, in camel case. */
export interface GivenTrust {
  readonly logKey?: readonly string[] | undefined;
  /** Each `stigmem://…=12D3Koo…` */
  readonly node?: readonly string[] | undefined;
  /** File of a tlog-policy. */
  readonly policy?: string | undefined;
  /** File of a Sigstore trusted root. */
  readonly trustRoot?: string | undefined;
  readonly anchorKey?: readonly string[] | undefined;
}

/** What to do when nothing, or nothing readable, is trusted. */
export const TRUST_FIX =
  'Give --log-key VKEY, or --node stigmem://NAME=PEER_ID, from somewhere else than the file itself.';

/**
 * Reads it, with the files that it names.
 *
 * @param read text of a file
 * @throws TypeError if something is no key, node or policy, or nothing is trusted; what `read` throws
 */
export function readGivenTrust(given: GivenTrust, read: (file: string) => string): TrustOptions {
  const { logKey = [], node = [], policy, trustRoot, anchorKey = [] } = given;
  const nodes = node.map((pair) => {
    const at = pair.lastIndexOf('=');
    return { nodeId: pair.slice(0, at), peerId: pair.slice(at + 1) };
  });
  const trust: TrustOptions = {
    logKeys: logKey.map((key) => key.trim()),
    nodes,
    ...(policy === undefined ? {} : { policy: read(policy) }),
    ...(trustRoot === undefined ? {} : { anchors: { trustedRoot: read(trustRoot), keys: anchorKey } }),
  };
  trustOf(trust);
  return trust;
}
