import { permits } from '../../core/permissions.ts';
import type {
  AuditInput,
  ChainBreak,
  CorruptFact,
  Erased,
  FactResult,
  StoredFact,
  TombstoneNotice,
} from '../../journal/read-model.ts';
import type { ApiDeps } from '../deps.ts';
import { corruptRefusal } from './fact-record.ts';
import type { Refusal } from './responses.ts';
import type { Principal } from './route.ts';

export const FACT_NOT_FOUND: Refusal = { status: 404, detail: 'fact not found' };

/** One corrupt row read a thousand times is one finding. */
const MAX_REPORTED = 10_000;

/** Tells whether a fact may be shown: one that waits for an operator is for operators. */
export function isVisible(fact: StoredFact, principal: Principal): boolean {
  if (fact.quarantine === null || fact.quarantine.status === 'promoted') return true;
  return permits(principal.party, 'review');
}

export interface CorruptionDesk {
  /** Records a corrupt row in log, metrics and, once per row and process, the audit log. @returns the answer */
  report(corrupt: CorruptFact, principal: Principal): Promise<Refusal>;
  /** The same for links of the chain, or a stored tree, that do not join. */
  reportBreak(broken: ChainBreak, principal: Principal): Promise<Refusal>;
}

/** Creates the place where reads bring rows that do not verify. */
export function createCorruptionDesk(deps: Pick<ApiDeps, 'writer' | 'events' | 'logger'>): CorruptionDesk {
  const reported = new Set<string>();
  const record = async (name: string, input: AuditInput): Promise<void> => {
    if (reported.has(name) || reported.size >= MAX_REPORTED) return;
    reported.add(name);
    // The reader is told either way: a journal that cannot take the record is a second fault, not an excuse.
    await deps.writer.audit(input).catch((error: unknown) => {
      reported.delete(name);
      deps.logger.error({ err: error, fact_id: input.factId }, 'a corrupt row could not be recorded');
    });
  };
  return {
    async report(corrupt, principal) {
      deps.events.corruptRead(corrupt.code, corrupt.factId, corrupt.chainSeq, corrupt.difference.field);
      await record(`${corrupt.factId} ${corrupt.difference.field}`, recordOf(corrupt, principal));
      return corruptRefusal(corrupt);
    },
    async reportBreak(broken, principal) {
      deps.events.corruptRead('fact_chain_mismatch', broken.factId ?? '', broken.chainSeq, broken.reason);
      await record(`chain ${broken.chainSeq} ${broken.reason}`, breakRecordOf(broken, principal));
      return chainRefusal(broken);
    },
  };
}

function breakRecordOf({ reason, factId, chainSeq }: ChainBreak, principal: Principal): AuditInput {
  return {
    event: 'journal_verification_failed',
    reason: 'fact_chain_mismatch',
    factId,
    chainSeq,
    actor: principal.actor,
    detail: { mismatch_reason: reason },
  };
}

/** The reference's answer to a chain that does not verify. */
function chainRefusal({ reason, factId, chainSeq }: ChainBreak): Refusal {
  const message = 'local fact hash chain verification failed';
  return {
    status: 409,
    detail: { code: 'fact_chain_mismatch', message, mismatch_reason: reason, fact_id: factId, chain_seq: chainSeq },
  };
}

function recordOf(corrupt: CorruptFact, principal: Principal): AuditInput {
  const { code, factId, storedCid, chainSeq, computedCid, difference } = corrupt;
  return {
    event: 'journal_verification_failed',
    reason: code,
    factId,
    cid: storedCid,
    chainSeq,
    actor: principal.actor,
    detail: { computed_cid: computedCid, ...difference },
  };
}

/** The answer to give instead of a fact; with `erased`, a proof may go along that it is gone. */
export interface NotShown {
  readonly refusal: Refusal;
  readonly erased: Erased | null;
}

/** A fact that the caller may see, or the answer to give instead. */
export async function visibleFact(
  result: FactResult,
  principal: Principal,
  desk: CorruptionDesk,
): Promise<{ readonly fact: StoredFact } | NotShown> {
  if (result.kind === 'corrupt') return { refusal: await desk.report(result.corrupt, principal), erased: null };
  if (result.kind === 'tombstoned') return { refusal: tombstoned(result.notice, principal), erased: result.erased };
  if (result.kind === 'not_found' || !isVisible(result.fact, principal))
    return { refusal: FACT_NOT_FOUND, erased: null };
  return { fact: result.fact };
}

/** Notices of hidden facts are for operators: others do not learn that something is kept that they do not see. */
export function seesTombstones(principal: Principal): boolean {
  return permits(principal.party, 'admin') || permits(principal.party, 'legal.hold');
}

function tombstoned(notice: TombstoneNotice, principal: Principal): Refusal {
  const said = { code: 'fact_tombstoned', message: 'this fact has a tombstone: it is not shown any more' };
  return { status: 410, detail: seesTombstones(principal) ? { ...said, tombstone_notice: notice } : said };
}
