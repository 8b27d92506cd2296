/** What a notice tells the author about single refusals: what it claimed, and what can be said without telling of others. */
import { shortened } from '../core/shortened.ts';
import { FACT_EVENT, isFactReason, isPageReason } from '../core/verdict.ts';
import type { AuditReader } from '../journal/audit-reader.ts';
import type { AuditRecord } from '../journal/read-model.ts';
import { RESOLVED_EVENT, type RefusalGroup } from '../journal/told-refusals.ts';
import { MAX_NAMED_ENTRIES, MAX_SHOWN_CHARS, type RefusedEntry } from '../wire/refusal-notice.ts';

/** Records that are looked through for those that still stand, and resolutions that are known of. */
const MAX_RECORDS = 1_024;
/** What was computed for these comes out of what is held, which may be another peer's. */
const HELD_REASONS: ReadonlySet<string> = new Set([
  'fact_rewritten',
  'valid_until_extended',
  'origin_proof_invalid',
] as const);
const DIGEST = /^sha256:[0-9a-f]{64}$/;

/** The newest refusals of a group that still stand, newest first. */
export function refusedEntries(audit: AuditReader, peer: string, group: RefusalGroup): readonly RefusedEntry[] {
  return standing(audit, peer, group, MAX_NAMED_ENTRIES).map(entryOf);
}

/** Their audit records. Of a page that was refused again and again only the last attempt. */
export function standing(
  audit: AuditReader,
  peer: string,
  { feed, reason, refused, resolved }: RefusalGroup,
  limit: number,
): readonly AuditRecord[] {
  if (resolved >= refused) return [];
  const isPage = isPageReason(reason);
  const event = isFactReason(reason) ? FACT_EVENT[reason] : 'federation_integrity_rejected';
  const newest = { peer, feed, reason, order: 'desc', limit: isPage ? 1 : MAX_RECORDS } as const;
  const over = new Set(
    isPage || resolved === 0
      ? []
      : audit.page({ ...newest, event: RESOLVED_EVENT }).records.flatMap(({ detail }) => overIn(detail)),
  );
  return audit
    .page({ ...newest, event })
    .records.filter(({ seq }) => !over.has(seq))
    .slice(0, isPage ? 1 : Math.min(limit, refused - resolved));
}

/** Audit records whose refusal a resolution ends. */
function overIn({ refused_by, records }: AuditRecord['detail']): readonly unknown[] {
  return Array.isArray(records) ? records : [refused_by];
}

function entryOf({ at, chain_seq, cid, detail, evidence, reason }: AuditRecord): RefusedEntry {
  const feedSeq = detail['feed_seq'];
  return {
    at: new Date(at).toISOString(),
    chain_seq,
    cid: cid !== null && DIGEST.test(cid) ? cid : null,
    difference: differenceOf(detail['difference'], HELD_REASONS.has(reason ?? '')),
    evidence,
    feed_seq: typeof feedSeq === 'number' ? feedSeq : null,
  };
}

function differenceOf(found: unknown, isHeld: boolean): RefusedEntry['difference'] {
  if (typeof found !== 'object' || found === null) return null;
  const { field, claimed, computed } = found as Readonly<Record<string, unknown>>;
  return {
    claimed: shown(claimed),
    computed: isHeld ? null : shown(computed),
    field: shown(field) ?? 'entry',
  };
}

function shown(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? shortened(value.toWellFormed(), MAX_SHOWN_CHARS) : null;
}
