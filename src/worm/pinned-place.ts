/**
 * What the journal itself says of a store: where the chain there began, how far it was when this was first recorded, and where it was
 * gone on with after a restore. The file beside the journal may be lost, and a copy may be put back without it; the records go with
 * every copy that was made since.
 */
import type { AuditInput, AuditRecord } from '../journal/read-model.ts';
import { onlyBefore } from '../wire/worm-manifest.ts';
import type { Difference } from './pasts.ts';
import type { KnownPlace, RestoredPlace } from './place.ts';

export const WORM_BEGUN_EVENT = 'worm_export_begun';
export const WORM_RESUMED_EVENT = 'worm_export_resumed';

export function begunRecord(target: string, { number, digest }: KnownPlace): AuditInput {
  return { event: WORM_BEGUN_EVENT, actor: 'system', detail: { target, manifest: number, digest } };
}

/** Names the manifest that is left, and what is only in the chain up to it. */
export function resumedRecord(
  target: string,
  { number, digest, restored }: RestoredPlace,
  why: Difference,
): AuditInput {
  const lost = Object.fromEntries(onlyBefore(restored).map(({ stream, first, last }) => [stream, [first, last]]));
  const { base, base_digest } = restored;
  const detail = { target, manifest: number, digest, base, base_digest, lost };
  return { event: WORM_RESUMED_EVENT, reason: why, actor: 'system', detail };
}

/** @param records of these events @returns the furthest; null: nothing was shipped there, as far as the log goes */
export function pinnedIn(records: readonly Pick<AuditRecord, 'detail'>[], target: string): KnownPlace | null {
  let furthest: KnownPlace | null = null;
  for (const { detail } of records) {
    const { manifest, digest } = detail;
    if (detail['target'] !== target || !Number.isSafeInteger(manifest) || typeof digest !== 'string') continue;
    if (Number(manifest) > (furthest?.number ?? 0)) furthest = { number: Number(manifest), digest };
  }
  return furthest;
}
