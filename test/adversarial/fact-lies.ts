/** One hostile log per reason to refuse, or to hold back, a single fact; the same lie at every place of a page. */
import type { FactReason, QuarantineReason } from '../../src/core/verdict.ts';
import type { FactDraft } from '../../src/drill/entry-draft.ts';
import type { Behaviour } from '../../src/drill/hostile-peer.ts';
import { EPOCH_MS, type StoredEntry } from '../../src/drill/peer-log.ts';
import type { PageLie } from '../../src/drill/served-log.ts';
import type { PageContent } from '../../src/wire/page.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import { FACT_CASES, type FactCase, QUARANTINE_CASES } from '../unit/verify/reason-cases.ts';

export type EntryReason = FactReason | QuarantineReason;

/** What the victim asks for at a time. */
export const PAGE_ENTRIES = 5;
/** A page without lies, then lies at the first, the middle, the last and at every place of a page, and one without. */
export const LIES_AT: ReadonlySet<number> = new Set([5, 12, 19, 20, 21, 22, 23, 24]);
export const LOG_ENTRIES = 30;

/** A fact of the first page is told again, changed, by those lies that are about repeats. */
const REPEATED = 1;
const LIFE = '2099-01-01T00:00:00Z';
const LONGER_LIFE = '2199-01-01T00:00:00Z';
const CENTURY_MS = 100 * 365 * 86_400_000;

interface FactLie extends Pick<FactCase, 'lie' | 'garbled' | 'class'> {
  readonly draft?: (log: HonestPeer) => FactDraft;
  readonly field: string;
}

/** Told with the real clock and a real journal, where the unit tests' ways need a context of their own. */
const OWN_WAYS: Partial<Readonly<Record<EntryReason, FactLie>>> = {
  fact_rewritten: { draft: (log) => ({ fact_id: repeated(log).fact_id }), field: 'cid' },
  valid_until_extended: {
    draft: (log) => {
      const { fact_id, entity, value_v, timestamp, hlc } = repeated(log);
      return { fact_id, entity, value_v, timestamp, hlc, valid_until: LONGER_LIFE };
    },
    field: 'valid_until',
  },
  hlc_future: { draft: () => ({ hlc: `${EPOCH_MS + CENTURY_MS}.000` }), field: 'hlc' },
  hlc_past: { draft: () => ({ hlc: `${EPOCH_MS - 31 * 86_400_000}.000` }), field: 'hlc' },
  instruction_inbound: { draft: () => QUARANTINE_CASES.instruction_inbound[0] ?? {}, field: '' },
};

export const FACT_LIES: Readonly<Record<EntryReason, FactLie>> = Object.fromEntries(
  [...Object.keys(FACT_CASES), ...Object.keys(QUARANTINE_CASES)].map((reason) => [
    reason,
    OWN_WAYS[reason as EntryReason] ?? asFactLie(FACT_CASES[reason as FactReason]),
  ]),
) as unknown as Readonly<Record<EntryReason, FactLie>>;

function asFactLie({ draft, ...rest }: FactCase): FactLie {
  return draft === undefined ? rest : { ...rest, draft: () => draft };
}

function repeated(log: HonestPeer): StoredEntry['entry'] {
  const stored = log.entries[REPEATED];
  if (stored === undefined) throw new Error('the log is too short');
  return stored.entry;
}

/** The same log in every process: what the hostile peer serves is what the test compares with. */
export function lyingLog(reason: EntryReason, authority: string = authorityOf(reason)): HonestPeer {
  const { draft, lie } = FACT_LIES[reason];
  const log = new HonestPeer({ authority });
  for (let i = 0; i < LOG_ENTRIES; i++) {
    if (LIES_AT.has(i)) log.append(draft?.(log) ?? {}, lie);
    else log.append({ valid_until: LIFE });
  }
  return log;
}

export function authorityOf(reason: string): string {
  return `${reason.replaceAll('_', '-')}.example`;
}

/** The bytes that are sent for an entry. */
export function sentBytes(reason: EntryReason, stored: StoredEntry): Buffer {
  const bytes = Buffer.from(stored.bytes);
  if (LIES_AT.has(stored.index)) FACT_LIES[reason].garbled?.(bytes);
  return bytes;
}

export function factBehaviour(reason: EntryReason, authority: string = authorityOf(reason)): Behaviour {
  const log = lyingLog(reason, authority);
  if (FACT_LIES[reason].garbled === undefined) return { log };
  const content = (page: PageContent): PageContent => ({
    ...page,
    entries: (page.entries as readonly StoredEntry[]).map((entry) => ({ ...entry, bytes: sentBytes(reason, entry) })),
  });
  const lie: PageLie = { content };
  return { log, pull: (request) => log.answerPull(request, ['public'], lie) };
}

export const behaviours: Readonly<Record<string, () => Behaviour>> = Object.fromEntries(
  Object.keys(FACT_LIES).map((reason) => [reason, () => factBehaviour(reason as EntryReason)]),
);
