/** What a peer's file asks of its anchors: that its history is in a log which it cannot rewrite. */
import { firstOk } from '../core/result.ts';
import { checkAnchorReceipt, parseAnchorReceipt } from '../merkle/anchor-receipt.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { sameHash } from '../merkle/hash.ts';
import type { AnchorPolicy, KnownCheckpoint, PageContext } from './context.ts';

export interface AnchorComplaint {
  readonly reason: 'anchor_missing' | 'anchor_invalid' | 'checkpoint_split_view';
  readonly claimed: string;
  readonly computed: string;
}

/**
 * Judges the anchor of the first page of an answer. It may be behind the page's checkpoint: a log is asked some seconds
 * later than a peer. Where sizes are equal, roots have to be; the log key has signed both.
 *
 * @param now the checkpoint of the page, verified
 * @returns null if the peer's file asks for nothing, or has what it asks for
 */
export function checkAnchor(anchor: string | null, now: KnownCheckpoint, ctx: PageContext): AnchorComplaint | null {
  const policy = ctx.policy.anchors;
  // There is nothing to anchor in an empty log.
  if (policy === null || !ctx.firstPage || now.size === 0) return null;
  if (anchor === null) return missing('no anchor', policy);
  const receipt = parseAnchorReceipt(anchor);
  if (!receipt.ok) return invalid('no receipt', 'a receipt in canonical JSON');
  const { backend, checkpoint } = receipt.value;
  if (!policy.backends.includes(backend)) return missing(`an anchor in ${backend}`, policy);
  const { anchorKey, logKey, former, origin } = ctx.peer;
  if (anchorKey === null) return invalid('no anchor key declared', 'an anchor key in the declaration');

  const checked = firstOk([anchorKey, ...former.anchorKeys], (key) =>
    checkAnchorReceipt(receipt.value, { origin, anchorKey: key, logs: policy.logs }),
  );
  if (!checked.ok) return invalid(checked.error, 'a receipt that verifies');
  const opened = firstOk([logKey, ...former.logKeys], (key) => openCheckpoint(checkpoint, { origin, key }));
  if (!opened.ok) return invalid('checkpoint_signature_invalid', 'ok');
  const { treeSize, root, integratedTime } = checked.value;
  return contradiction(treeSize, root, [now, ctx.known]) ?? tooOld(integratedTime, policy, ctx.nowMs);
}

function contradiction(
  size: number,
  root: Uint8Array,
  known: readonly (KnownCheckpoint | null)[],
): AnchorComplaint | null {
  const other = known.find((one) => one?.size === size && !sameHash(one.root, root));
  if (other === undefined || other === null) return null;
  return { reason: 'checkpoint_split_view', claimed: encodeBase64(root), computed: encodeBase64(other.root) };
}

/** A log that signs no time cannot show that an anchor is new. */
function tooOld(time: number | null, { maxAgeS }: AnchorPolicy, nowMs: number): AnchorComplaint | null {
  if (maxAgeS === null) return null;
  const oldest = Math.floor(nowMs / 1000) - maxAgeS;
  if (time !== null && time >= oldest) return null;
  return invalid(time === null ? 'no signed time' : `signed at ${time}`, `signed at ${oldest} or later`);
}

function missing(claimed: string, { backends }: AnchorPolicy): AnchorComplaint {
  return { reason: 'anchor_missing', claimed, computed: `an anchor in ${backends.join(' or ')}` };
}

function invalid(claimed: string, computed: string): AnchorComplaint {
  return { reason: 'anchor_invalid', claimed, computed };
}
