/** Summaries of refusals: the records that they name as examples are under their root; what still waits is counted. */
import { FACT_EVENT } from '../../core/verdict.ts';
import { decodeBase64 } from '../../merkle/base64.ts';
import { entryLeafHash, SALT_BYTES } from '../../merkle/commitment.ts';
import { checkInclusion } from '../../merkle/inclusion.ts';
import { decodeEvidence, type FactEvidenceForm } from '../../verify/evidence-form.ts';
import { isErasedEntry } from '../../wire/erased-entry.ts';
import { type Db, PARAM, prepare, type Statement, sqlBuilder } from '../database.ts';
import { EvidenceStore } from '../evidence-store.ts';
import type { AuditRecord } from '../read-model.ts';
import { entryRefusalLeaf, pageRefusalLeaf } from '../refusal-leaf.ts';
import { SUMMARY_EVENT } from '../refusal-summary.ts';

interface Example {
  readonly audit_seq: number;
  readonly index: number;
  readonly path: readonly string[];
}

export class SummaryCheck {
  readonly #body: Statement<[number], string>;
  readonly #evidence: EvidenceStore;

  constructor(db: Db) {
    const bodyOf = sqlBuilder.selectFrom('audit').select('body').where('seq', '=', PARAM);
    this.#body = prepare<[number]>(db, bodyOf).pluck() as Statement<[number], string>;
    this.#evidence = new EvidenceStore(db);
  }

  /** @returns what is wrong with a summary */
  judge({ detail, peer, reason }: AuditRecord): string | undefined {
    const { count, exemplars, root } = detail;
    const hash = decodeBase64(String(root));
    if (typeof count !== 'number' || !Array.isArray(exemplars) || hash === undefined) return 'it is no summary';
    for (const { audit_seq, index, path } of exemplars as readonly Example[]) {
      const record = this.#record(audit_seq);
      const isOne = record?.peer === peer && record.reason === reason && record.event !== SUMMARY_EVENT;
      if (!isOne) return `record ${audit_seq} is none of its refusals`;
      const leaf = this.#leafOf(record);
      // Evidence may have been left out, for its size: then the root alone speaks for that refusal.
      if (leaf === undefined) continue;
      const hashes = path.map((text) => decodeBase64(text) ?? new Uint8Array(0));
      const found = checkInclusion(leaf, index, hashes, hash, count);
      if (found !== 'ok') return `record ${audit_seq} is not under its root: ${found}`;
    }
    return undefined;
  }

  #record(seq: number): AuditRecord | undefined {
    const body = this.#body.get(seq);
    try {
      return body === undefined ? undefined : (JSON.parse(body) as AuditRecord);
    } catch {
      return undefined; // its own row is a finding
    }
  }

  #leafOf({ peer, feed, reason, evidence, chain_seq: chainSeq, detail }: AuditRecord): Uint8Array | undefined {
    if (peer === null || feed === null || reason === null || evidence === null) return undefined;
    if (!(reason in FACT_EVENT)) return pageRefusalLeaf({ peer, feed, reason, evidence });
    const text = this.#evidence.read(evidence);
    const decoded = text === undefined ? undefined : decodeEvidence(text);
    const isFact = decoded?.ok === true && decoded.value.kind === 'fact';
    const entryLeaf = isFact ? entryLeafOf(decoded.value.form.received, feed) : undefined;
    if (entryLeaf === undefined || chainSeq === null) return undefined;
    return entryRefusalLeaf({ peer, feed, reason, feedSeq: Number(detail['feed_seq']), chainSeq, entryLeaf });
  }
}

/** Of a line without a body the leaf hash was received in the place of its salt: it was withheld by a relay, or is erased. */
function entryLeafOf({ entry, salt }: FactEvidenceForm['received'], feed: string): Uint8Array | undefined {
  const [bytes, salted] = [decodeBase64(entry), decodeBase64(salt)];
  if (bytes === undefined || salted?.length !== SALT_BYTES) return undefined;
  const isBodiless = isErasedEntry(bytes) || (bytes.length === 0 && feed.startsWith('from/'));
  return isBodiless ? salted : entryLeafHash(salted, bytes);
}

/** Refused facts of a feed that wait for their summary. */
export interface WaitingRefusals {
  readonly peer: string;
  /** Empty: of several feeds. */
  readonly feed: string;
  readonly pending: number;
}

export function waitingRefusals(db: Db): readonly WaitingRefusals[] {
  const waiting = sqlBuilder.selectFrom('refusal_groups').select(['peer', 'feed', 'reason', 'pending']);
  const rows = prepare<[], WaitingRefusals & { readonly reason: string }>(db, waiting).all();
  return rows.filter(({ reason }) => reason in FACT_EVENT);
}
