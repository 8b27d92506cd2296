/**
 * What the journal itself says of a store: where the chain there began, or how far it was when this was first recorded. The file beside
 * the journal may be lost, and a copy may be put back without it; the record goes with every copy that was made since.
 */
import type { AuditInput, AuditRecord } from '../journal/read-model.ts';
import type { KnownPlace } from './place.ts';

export const WORM_BEGUN_EVENT = 'worm_export_begun';

export function begunRecord(target: string, { number, digest }: KnownPlace): AuditInput {
  return { event: WORM_BEGUN_EVENT, actor: 'system', detail: { target, manifest: number, digest } };
}

/** @param records of that event @returns null: nothing was shipped there, as far as the log goes */
export function pinnedIn(records: readonly Pick<AuditRecord, 'detail'>[], target: string): KnownPlace | null {
  for (const { detail } of records) {
    const { manifest, digest } = detail;
    if (detail['target'] !== target || !Number.isSafeInteger(manifest) || typeof digest !== 'string') continue;
    return { number: Number(manifest), digest };
  }
  return null;
}
