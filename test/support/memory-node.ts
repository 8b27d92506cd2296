/** A node without a journal, for tests of the HTTP layer alone: it keeps facts and records in arrays. */
import { createHash, randomUUID } from 'node:crypto';
import type { ApiReader, ApiWriter } from '../../src/admin/journal-desk.ts';
import { cidOfText } from '../../src/core/cid.ts';
import { type Entry, encodeEntry } from '../../src/core/entry.ts';
import { MAX_VALUE_BYTES } from '../../src/core/limits.ts';
import { pythonFloatText } from '../../src/core/python-text.ts';
import { SEVERITIES, type Severity, severityOf } from '../../src/core/severity.ts';
import { isoMicros } from '../../src/core/time.ts';
import type { Published } from '../../src/journal/published-log.ts';
import type {
  AssertCaller,
  AssertOutcome,
  AuditDetail,
  AuditFilter,
  AuditInput,
  AuditPage,
  AuditRecord,
  ChangePage,
  CorruptFact,
  FactPage,
  FactQuery,
  FactResult,
  JournalHead,
  ProveResult,
  RecallQuery,
  RecallResult,
  StoredFact,
} from '../../src/journal/read-model.ts';
import { type AssertRequest, verifyAssertion } from '../../src/verify/assertion.ts';
import { encodeFactBundle, FACT_BUNDLE_KIND } from '../../src/wire/fact-bundle.ts';

interface Held {
  entry: Entry;
  readonly appended: string;
  quarantine: StoredFact['quarantine'];
}

const HASH = `sha256:${'0'.repeat(64)}`;

export class MemoryNode implements ApiWriter, ApiReader {
  readonly #facts: Held[] = [];
  readonly #records: AuditRecord[] = [];
  /** Records that a call looks at which is bounded. */
  looksAt: number = Number.POSITIVE_INFINITY;
  readonly #nowMs: () => number;
  #failure: string | null = null;
  #hangs = false;
  #onHang: () => void = () => undefined;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  fail(code: string | null): void {
    this.#failure = code;
  }

  hang(): Promise<void> {
    this.#hangs = true;
    return new Promise((resolve) => {
      this.#onHang = resolve;
    });
  }

  tamper(factId: string, field: 'value_v' | 'interpret_as', value: string): void {
    const held = this.#held(factId);
    held.entry = { ...held.entry, [field]: value };
  }

  quarantine(factId: string): void {
    this.#held(factId).quarantine = { status: 'pending', reason: 'instruction_inbound' };
  }

  async assert(requests: readonly AssertRequest[], caller: AssertCaller): Promise<readonly AssertOutcome[]> {
    await this.#gate();
    return requests.map((request) => this.#assertOne(request, caller));
  }

  async audit(input: AuditInput): Promise<number> {
    const seq = this.#records.length + 1;
    this.#records.push({
      seq,
      at: isoMicros(this.#nowMs() * 1000 + seq),
      event: input.event,
      reason: input.reason ?? null,
      peer: input.peer ?? null,
      feed: input.feed ?? null,
      fact_id: input.factId ?? null,
      cid: input.cid ?? null,
      chain_seq: input.chainSeq ?? null,
      evidence: null,
      actor: input.actor ?? null,
      detail: input.detail ?? {},
      is_drill: false,
      previous_hash: seq === 1 ? null : HASH,
      v: 1,
    });
    return seq;
  }

  async anchorStatus(): Promise<[]> {
    return [];
  }

  async anchors(): Promise<[]> {
    return [];
  }

  async retryAnchors(): Promise<void> {}

  async head(): Promise<JournalHead> {
    await this.#gate();
    return {
      size: this.#facts.length,
      root: Buffer.alloc(32).toString('base64'),
      chainHash: this.#facts.at(-1)?.entry.chain_hash ?? null,
      checkpoint: `example/journal/0\n${this.#facts.length}\nAAAA\n\n— example/journal/0 AAAA\n`,
      origin: 'example/journal/0',
      auditSize: this.#records.length,
      auditCheckpoint: `example/audit/0\n${this.#records.length}\nAAAA\n\n— example/audit/0 AAAA\n`,
      auditOrigin: 'example/audit/0',
      feeds: [{ feed: 'company', length: this.#facts.length }],
      projectionLag: 0,
    };
  }

  async fact(idOrCid: string): Promise<FactResult> {
    await this.#gate();
    const held = this.#facts.find(({ entry }) => entry.fact_id === idOrCid || entry.cid === idOrCid);
    if (held === undefined) return { kind: 'not_found' };
    const corrupt = corruption(held);
    return corrupt === null ? { kind: 'found', fact: this.#stored(held) } : { kind: 'corrupt', corrupt };
  }

  async facts(query: FactQuery): Promise<FactPage> {
    await this.#gate();
    const matching = this.#facts.filter((held) => this.#matches(held, query)).reverse();
    const behind = matching.filter(({ entry }) => entry.chain_seq < (query.before ?? Number.POSITIVE_INFINITY));
    const page = behind.slice(0, query.limit);
    const corrupt = page.map(corruption).find((found) => found !== null);
    if (corrupt !== undefined) return { kind: 'corrupt', corrupt };
    const before = query.limit < behind.length ? (page.at(-1)?.entry.chain_seq ?? null) : null;
    return { kind: 'page', facts: page.map((held) => this.#stored(held)), notices: [], total: matching.length, before };
  }

  async auditPage(filter: AuditFilter): Promise<AuditPage> {
    await this.#gate();
    const behind = this.#records.filter((record) => isBehind(record, filter));
    if (filter.order === 'desc') behind.reverse();
    const looked = filter.looksAt === undefined ? behind : behind.slice(0, this.looksAt);
    const matching = looked.filter((record) => matchesRecord(record, filter));
    const records = matching.slice(0, filter.limit);
    const isCut = matching.length > records.length;
    const hasMore = isCut || looked.length < behind.length;
    const last = isCut ? records.at(-1) : looked.at(-1);
    return { records, cursor: hasMore ? (last?.seq ?? null) : null, hasMore };
  }

  async auditDetail(seq: number): Promise<AuditDetail | null> {
    await this.#gate();
    const record = this.#records[seq - 1];
    return record === undefined ? null : { record, evidence: null, intact: true };
  }

  async changes(after: number): Promise<ChangePage> {
    return { changes: [], holes: [], position: after, more: false, corrupt: null };
  }

  async consistency(): Promise<readonly Uint8Array[]> {
    return [];
  }

  async published(): Promise<Published> {
    return { kind: 'not_found' };
  }

  async settleRecall(): Promise<number> {
    await this.#gate();
    return 0;
  }

  /** Every fact of the scope that has the query in it, newest first. */
  async recall({ query, scope, limit, tokenBudget, nowIso }: RecallQuery): Promise<RecallResult> {
    await this.#gate();
    const matching = this.#facts
      .filter((held) => held.entry.value_v.includes(query) && this.#matches(held, { scope, limit, nowIso }))
      .reverse();
    const corrupt = matching.map(corruption).find((found) => found !== null);
    if (corrupt !== undefined) return { kind: 'corrupt', corrupt };
    const parts = { lexical: 1, recency: 1, weightedTotal: 1, score: 1 };
    const scored = matching.slice(0, limit).map((held) => ({ fact: this.#stored(held), parts, tokens: 1 }));
    const facts = scored.slice(0, tokenBudget);
    const truncated = facts.length < scored.length;
    return { kind: 'recalled', facts, scored: scored.length, tokensUsed: facts.length, truncated };
  }

  async prove(factIds: readonly string[]): Promise<ProveResult> {
    await this.#gate();
    const { checkpoint } = await this.head();
    const facts = factIds.map((factId) => {
      const { entry } = this.#held(factId);
      const bundle = encodeFactBundle({
        anchors: [],
        declaration: 'a declaration',
        entry: encodeEntry(entry),
        kind: FACT_BUNDLE_KIND,
        origin: null,
        proof: `c2sp.org/tlog-proof@v1\nindex ${entry.chain_seq - 1}\n\n${checkpoint}`,
        salt: Buffer.alloc(32).toString('base64'),
      });
      return { factId, bundle, anchored: false };
    });
    const chain = { checkedEntries: this.#facts.length, headHash: HASH, checkpoint: null };
    return { kind: 'proven', facts, erasures: [], chain };
  }

  async #gate(): Promise<void> {
    if (this.#hangs) {
      this.#onHang();
      await new Promise(() => undefined);
    }
    if (this.#failure !== null) throw Object.assign(new Error('made to fail: /secret/path'), { code: this.#failure });
  }

  #held(factId: string): Held {
    const held = this.#facts.find(({ entry }) => entry.fact_id === factId);
    if (held === undefined) throw new Error(`no fact ${factId}`);
    return held;
  }

  #assertOne(request: AssertRequest, { mayWriteInstructions }: AssertCaller): AssertOutcome {
    const nowMs = this.#nowMs();
    const verified = verifyAssertion(request, {
      nodeAuthority: 'example',
      nowMs,
      maxValueBytes: MAX_VALUE_BYTES,
      mayWriteInstructions,
    });
    if (!verified.ok) return { kind: 'refused', refusal: verified.error };
    const { body, cid, warnings, valid_until, garden_id, derived_from, attestation, interpret_as } = verified.value;
    const known = this.#facts.find(({ entry }) => entry.cid === cid);
    if (known !== undefined) return { kind: 'stored', fact: this.#stored(known), warnings: [], repeated: true };
    const seq = this.#facts.length + 1;
    const timestamp = isoMicros(nowMs * 1000 + seq);
    const entry: Entry = {
      attestation,
      chain_hash: HASH,
      chain_seq: seq,
      cid,
      confidence: pythonFloatText(body.confidence),
      created_at: timestamp,
      derived_from,
      entity: body.entity,
      event_hash: HASH,
      fact_id: randomUUID(),
      feed_seq: seq,
      garden_id,
      hlc: `${nowMs}.${String(seq % 1000).padStart(3, '0')}`,
      interpret_as,
      origin: null,
      previous_hash: seq === 1 ? null : HASH,
      received_from: null,
      relation: body.relation,
      scope: body.scope,
      source: body.source,
      tenant_id: 'default',
      timestamp,
      v: 1,
      valid_until,
      value_type: body.value_type,
      value_v: body.value_v,
    };
    const held: Held = { entry, appended: digest(entry), quarantine: null };
    this.#facts.push(held);
    return { kind: 'stored', fact: this.#stored(held), warnings, repeated: false };
  }

  #stored(held: Held): StoredFact {
    const same = (other: Held): boolean =>
      other !== held &&
      (['entity', 'relation', 'scope'] as const).every((name) => other.entry[name] === held.entry[name]) &&
      Number(other.entry.confidence) > 0;
    return { entry: held.entry, contradicted: this.#facts.some(same), retracted: false, quarantine: held.quarantine };
  }

  #matches(held: Held, query: FactQuery): boolean {
    const { entry } = held;
    return (
      (query.entity === undefined || entry.entity === query.entity) &&
      (query.relation === undefined || entry.relation === query.relation) &&
      (query.source === undefined || entry.source === query.source) &&
      (query.scope === undefined || entry.scope === query.scope) &&
      (query.gardenId === undefined || entry.garden_id === query.gardenId) &&
      (query.after === undefined || entry.timestamp > query.after) &&
      Number(entry.confidence) >= (query.minConfidence ?? 0) &&
      (query.includeContradicted === true || !this.#stored(held).contradicted) &&
      (query.includeExpired === true || entry.valid_until === null || entry.valid_until > query.nowIso) &&
      (query.includeQuarantined === true || held.quarantine === null)
    );
  }
}

function isInLane({ event, reason }: AuditRecord, least: Severity): boolean {
  return SEVERITIES.indexOf(severityOf(event, reason)) >= SEVERITIES.indexOf(least);
}

function isBehind({ seq }: AuditRecord, { cursor, order }: AuditFilter): boolean {
  return cursor === undefined || (order === 'asc' ? seq > cursor : seq < cursor);
}

function matchesRecord(record: AuditRecord, filter: AuditFilter): boolean {
  return (
    (filter.peer === undefined || record.peer === filter.peer) &&
    (filter.event === undefined || record.event === filter.event) &&
    (filter.reason === undefined || record.reason === filter.reason) &&
    isInLane(record, filter.minSeverity ?? 'info') &&
    (filter.feed === undefined || record.feed === filter.feed) &&
    (filter.factId === undefined || record.fact_id === filter.factId) &&
    (filter.cid === undefined || record.cid === filter.cid) &&
    (filter.since === undefined || record.at >= filter.since) &&
    (filter.until === undefined || record.at <= filter.until)
  );
}

function corruption(held: Held): CorruptFact | null {
  const { entry } = held;
  if (digest(entry) === held.appended) return null;
  const computedCid = cidOfText(entry.confidence, entry);
  const isBody = computedCid !== entry.cid;
  const field = isBody ? 'value_v' : 'interpret_as';
  return {
    chainSeq: entry.chain_seq,
    factId: entry.fact_id,
    code: isBody ? 'cid_mismatch' : 'leaf_mismatch',
    computedCid,
    storedCid: entry.cid,
    difference: { field, claimed: null, computed: null },
  };
}

function digest(entry: Entry): string {
  return createHash('sha256').update(encodeEntry(entry)).digest('hex');
}
