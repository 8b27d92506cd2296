import { err, ok, type Result } from '../core/result.ts';
import type { Difference, PageReason } from '../core/verdict.ts';
import { decodeBase64, encodeBase64 } from '../merkle/base64.ts';
import { type CheckpointError, openCheckpoint } from '../merkle/checkpoint.ts';
import { checkConsistency } from '../merkle/consistency.ts';
import { EMPTY_ROOT, sameHash } from '../merkle/hash.ts';
import type { SignedNote } from '../merkle/note.ts';
import { checkWitnessPolicy } from '../merkle/tlog-policy.ts';
import type { PageHeader } from '../wire/page-header.ts';
import { MAX_HEAD_CHARS } from '../wire/witness.ts';
import { checkAnchor } from './anchor-rules.ts';
import type { KnownCheckpoint, PageContext } from './context.ts';
import type { EvidenceClass } from './evidence.ts';
import { fitsHead } from './own-lines.ts';

/** Longest text of a peer that is repeated in a difference, in UTF-16 units: a note may carry many signatures. */
const MAX_SHOWN_CHARS = 512;

/** Why a page as a whole is refused, before evidence is made of it. */
export interface PageFault {
  readonly reason: PageReason;
  readonly difference: Difference | null;
  readonly class: EvidenceClass;
}

export function accusation(reason: PageReason, difference: Difference | null): PageFault {
  return { reason, difference, class: 'accusation' };
}

/**
 * The checkpoint of a page: signed by the pinned key under the pinned origin, and an extension of the last one verified.
 * The first page of an answer proves the extension; later pages keep its checkpoint.
 */
export function checkCheckpoint(header: PageHeader, ctx: PageContext): Result<KnownCheckpoint, PageFault> {
  const opened = openCheckpoint(header.checkpoint, { origin: ctx.peer.origin, key: ctx.peer.logKey });
  if (!opened.ok) return err(accusation(opened.error, unopened(opened.error, header.checkpoint, ctx)));
  const { size, root } = opened.value;
  const checkpoint: KnownCheckpoint = { size, root, note: header.checkpoint };
  const fault =
    compareWithKnown(checkpoint, ctx.known) ??
    checkExtension(checkpoint, header.consistency, ctx) ??
    checkOwnLines(header.checkpoint, ctx) ??
    checkWitnesses(opened.value.note, ctx) ??
    checkAnchored(header.anchor, checkpoint, ctx);
  return fault === null ? ok(checkpoint) : err(fault);
}

/** What a checkpoint that cannot be opened says, and what it had to say. */
function unopened(code: CheckpointError, note: string, { peer }: PageContext): Difference {
  if (code !== 'checkpoint_signature_invalid')
    return difference('checkpoint.origin', note.slice(0, note.indexOf('\n')), peer.origin);
  const signatures = note.slice(note.indexOf('\n\n') + 2).trimEnd();
  return difference('checkpoint.signature', shown(signatures), `a signature by key ${encodeBase64(peer.logKey)}`);
}

function shown(text: string): string {
  return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}

function compareWithKnown(now: KnownCheckpoint, known: KnownCheckpoint | null): PageFault | null {
  if (known === null) return null;
  if (now.size < known.size)
    return accusation('checkpoint_rollback', difference('checkpoint.size', String(now.size), String(known.size)));
  if (now.size > known.size || sameHash(now.root, known.root)) return null;
  // Two signed roots for one size: nothing else is needed to show it.
  return {
    reason: 'checkpoint_split_view',
    difference: difference('checkpoint.root', encodeBase64(now.root), encodeBase64(known.root)),
    class: 'contradiction',
  };
}

function checkExtension(now: KnownCheckpoint, proof: PageHeader['consistency'], ctx: PageContext): PageFault | null {
  if (ctx.firstPage !== (proof !== null))
    return malformed('consistency', proof === null ? 'null' : 'a proof', ctx.firstPage ? 'a proof' : 'null');
  if (proof === null)
    return ctx.known?.size === now.size
      ? null
      : malformed('checkpoint.size', String(now.size), String(ctx.known?.size ?? null));

  const { size, root } = ctx.known ?? { size: 0, root: EMPTY_ROOT };
  // The header's shape has made sure that each text is base64 of 32 bytes.
  const path = proof.map((hash) => decodeBase64(hash) ?? new Uint8Array(0));
  const verdict = checkConsistency(size, root, now.size, now.root, path);
  if (verdict === 'ok') return null;
  // A path that reaches the signed new root shows what the old tree was: not the one that was signed before.
  return {
    reason: 'consistency_proof_invalid',
    difference: difference('consistency', verdict, 'ok'),
    class: verdict === 'old_root_mismatch' ? 'contradiction' : 'accusation',
  };
}

/** Behind what may contradict: a log that signs more lines than a head has room for would keep others from being shown what it says. */
function checkOwnLines(note: string, { peer }: PageContext): PageFault | null {
  if (fitsHead(note, peer.origin)) return null;
  const computed = `at most ${MAX_HEAD_CHARS} characters with the lines of its own keys`;
  return accusation('checkpoint_malformed', difference('checkpoint.signature', `${note.length} characters`, computed));
}

/** Last: a history that contradicts itself is told from one that nobody has vouched for yet. */
function checkWitnesses(note: SignedNote, { policy }: PageContext): PageFault | null {
  if (policy.witnesses === null) return null;
  const checked = checkWitnessPolicy(policy.witnesses, note);
  if (checked.ok) return null;
  const { satisfied, missing } = checked.error;
  const has = satisfied.length === 0 ? 'no cosignature of the policy' : `cosigned by ${satisfied.join(', ')}`;
  const asks = `the quorum ${policy.witnesses.quorum}; not cosigned by ${missing.join(', ')}`;
  return accusation('witness_quorum_unmet', difference('checkpoint.cosignatures', has, shown(asks)));
}

function checkAnchored(anchor: string | null, now: KnownCheckpoint, ctx: PageContext): PageFault | null {
  if (anchor !== null && !ctx.firstPage) return malformed('anchor', 'a receipt', 'null');
  const complaint = checkAnchor(anchor, now, ctx);
  if (complaint === null) return null;
  const { reason, claimed, computed } = complaint;
  const found = difference('anchor', shown(claimed), computed);
  return reason === 'checkpoint_split_view'
    ? { reason, difference: found, class: 'contradiction' }
    : accusation(reason, found);
}

function malformed(field: string, claimed: string, computed: string): PageFault {
  return accusation('page_malformed', difference(field, claimed, computed));
}

function difference(field: string, claimed: string, computed: string): Difference {
  return { field, claimed: claimed.slice(0, 512), computed };
}
