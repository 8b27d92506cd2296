import { looksLikeCid } from '../core/cid.ts';
import { isJsonNumber, isJsonObject, type JsonObject, type JsonValue, jsonText, parseJson } from '../core/json.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import type { ProvenFact } from '../verify/fact-bundle-verdict.ts';
import { type Change, type ChangesOptions, followChanges } from './changes.ts';
import { erasedFactOf, FactErasedError, factIdDigest } from './erased.ts';
import { ApiError, VerificationError } from './errors.ts';
import { demandCid, type Fact, factOfProven, factOfRecord, fail, malformed } from './facts.ts';
import { History } from './history.ts';
import { Http, type HttpOptions } from './http.ts';
import { bodyOf, isAbout, type NewFact, normal, typeOf } from './new-fact.ts';
import { Prover } from './prover.ts';
import { type CheckpointStore, MemoryStore } from './stores.ts';
import { type TrustOptions, trustOf } from './trust.ts';

/**
 * How much of what the server says is verified before it is returned. `full`: each fact by its bundle, against what is
 * trusted, on one history. `cid`: that a fact's body has its CID, which anybody can make. `none`: nothing.
 */
export type VerifyMode = 'full' | 'cid' | 'none';

export interface ClientOptions extends HttpOptions {
  /** What is trusted; needed for `full`. */
  readonly trust?: TrustOptions;
  /** `full` unless another one is asked for by name. */
  readonly verify?: VerifyMode;
  /** Where the last checkpoint is kept; as long as the program runs if left out. */
  readonly checkpoints?: CheckpointStore;
  /** POSIX ms; the clock of the machine if left out. */
  readonly nowMs?: () => number;
}

export interface ReadOptions {
  /** For this call alone. */
  readonly verify?: VerifyMode;
  readonly signal?: AbortSignal;
}

export interface FactFilter {
  readonly entity?: string;
  readonly relation?: string;
  readonly source?: string;
  readonly scope?: string;
  readonly gardenId?: string;
  readonly minConfidence?: number;
  readonly includeContradicted?: boolean;
  readonly includeExpired?: boolean;
  readonly includeTombstones?: boolean;
  /** The `cursor` of the page before. */
  readonly cursor?: string;
  readonly limit?: number;
}

export interface Page {
  readonly facts: readonly Fact[];
  /** Null at the end. That nothing was left out cannot be proven by a page: follow `changes` for that. */
  readonly cursor: string | null;
}

export interface RecallOptions {
  readonly query: string;
  readonly scope?: string;
  readonly tokenBudget?: number;
  readonly minConfidence?: number;
  readonly limit?: number;
}

/** Ranked by the server, which may rank as it likes; each fact is proven, and put where its own entry says. */
export interface Recalled {
  /** Best first. */
  readonly content: readonly Fact[];
  /** Facts that want to steer: never to be mixed with the others. */
  readonly instructions: readonly Fact[];
  readonly truncated: boolean;
}

export interface AuditFilter {
  readonly peer?: string;
  readonly event?: string;
  readonly reason?: string;
  readonly factId?: string;
  readonly cursor?: string;
  readonly order?: 'asc' | 'desc';
  readonly limit?: number;
}

export interface AuditPage {
  /** Records as the server writes them. */
  readonly entries: readonly unknown[];
  readonly cursor: string | null;
}

/** Reads and writes facts at one node, and believes nothing that it has not verified. */
export class StigmemClient {
  readonly #http: Http;
  readonly #mode: VerifyMode;
  readonly #prover: Prover;
  readonly #nowMs: () => number;

  /** @throws TypeError if everything is to be verified and nothing is trusted, or what is trusted is malformed */
  constructor(options: ClientOptions) {
    this.#http = new Http(options);
    this.#mode = options.verify ?? 'full';
    this.#nowMs = options.nowMs ?? Date.now;
    const trust = options.trust === undefined ? null : trustOf(options.trust);
    if (this.#mode === 'full' && trust === null) {
      throw new TypeError("expected trust for verify: 'full'; ask for less by name if less is meant: verify: 'cid'");
    }
    const named = new Map<string, string>();
    for (const { nodeId, origin } of options.trust?.nodes ?? []) if (origin !== undefined) named.set(nodeId, origin);
    const store = options.checkpoints ?? new MemoryStore();
    const history = new History(store, named, (from, to) => this.#consistency(from, to));
    this.#prover = new Prover(trust, history);
  }

  /**
   * Asserts a fact. The answer has to be about the same, with the CID of its body.
   *
   * @throws ApiError if it was refused, VerificationError `answer_mismatch` or `cid_mismatch`
   */
  async assert(fact: NewFact, options: Pick<ReadOptions, 'signal'> = {}): Promise<Fact> {
    const type = typeOf(fact);
    const body = bodyOf(fact, type);
    const record = await this.#http.ask('/v1/facts', { method: 'POST', body, ...options });
    const stored = demandCid(factOfRecord(record));
    if (isAbout(stored, fact, type)) return stored;
    throw new VerificationError('answer_mismatch', `the server stored something else than was asserted: ${stored.cid}`);
  }

  /**
   * One fact by its id or CID; undefined if there is none that may be read.
   *
   * @throws ApiError; FactErasedError if the node proves that it has erased this fact of its own; VerificationError
   */
  async get(idOrCid: string, options: ReadOptions = {}): Promise<Fact | undefined> {
    const path = `/v1/facts/${encodeURIComponent(idOrCid)}`;
    const asked = this.#http.ask(path, this.#reading(options)).catch((error) => this.#whyGone(idOrCid, error, options));
    const record = await orNone(asked);
    if (record === undefined) return undefined;
    const bundle = isJsonObject(record) ? record.get('bundle') : undefined;
    const { fact } = await this.#judge(record, bundle, options);
    if (fact.id === idOrCid || fact.cid === idOrCid) return fact;
    throw new VerificationError('answer_mismatch', `${idOrCid} was asked for, the server gave ${fact.id}`);
  }

  /** A page of facts, newest first; each of them fits the filter. @throws ApiError, VerificationError */
  async query(filter: FactFilter = {}, options: ReadOptions = {}): Promise<Page> {
    const answer = await this.#http.ask('/v1/facts', { ...this.#reading(options), query: queryOf(filter) });
    const { items, object } = listIn(answer, 'facts');
    const facts = await this.#judgeAll(items, object, options);
    const stranger = facts.find((fact) => !fits(fact, filter));
    if (stranger === undefined) return { facts, cursor: textOrNull(object.get('cursor')) };
    throw new VerificationError('answer_mismatch', `fact ${stranger.id} is not what was asked for`);
  }

  /** The facts that answer a query best, within a budget of tokens. @throws ApiError, VerificationError */
  async recall(asked: RecallOptions, options: ReadOptions = {}): Promise<Recalled> {
    const { query, scope, tokenBudget, minConfidence, limit } = asked;
    const body = { query, scope, token_budget: tokenBudget, min_confidence: minConfidence, limit };
    const reading = { ...this.#reading(options), method: 'POST', body, query: { legacy_format: true } } as const;
    const answer = await this.#http.ask('/v1/recall', reading);
    const { items, object } = listIn(answer, 'facts');
    const records = items.map((item) => (isJsonObject(item) ? item.get('fact') : undefined) ?? fail('facts'));
    const facts = await this.#judgeAll(records, object, options);
    const stranger = facts.find((fact) => scope !== undefined && fact.scope !== scope);
    if (stranger !== undefined) {
      throw new VerificationError('answer_mismatch', `fact ${stranger.id} is not of the scope that was asked for`);
    }
    const of = (kind: 'content' | 'instruction'): readonly Fact[] =>
      facts.filter((fact) => (fact.interpretAs === 'content') === (kind === 'content'));
    return { content: of('content'), instructions: of('instruction'), truncated: object.get('truncated') === true };
  }

  /**
   * Withdraws a fact of this node: asserts the same with confidence 0.
   *
   * @throws ApiError 404 if there is none, VerificationError
   */
  async retract(idOrCid: string, options: ReadOptions = {}): Promise<Fact> {
    const fact = await this.get(idOrCid, options);
    if (fact === undefined) throw new ApiError(404, null, `there is no fact ${idOrCid}`);
    if (fact.receivedFrom !== null) {
      throw new ApiError(
        409,
        'not_own_fact',
        `${idOrCid} is from ${fact.receivedFrom}: only its author can withdraw it`,
      );
    }
    const { entity, relation, source, scope, gardenId } = fact;
    const garden = gardenId === null ? {} : { gardenId };
    return this.assert({ entity, relation, source, scope, ...garden, value: 'retracted', confidence: 0 }, options);
  }

  /**
   * A page of audit records. Nothing proves them to a reader yet: `verify: 'none'` has to be asked for by name.
   *
   * @throws VerificationError `audit_unverifiable`
   */
  async audit(filter: AuditFilter = {}, options: ReadOptions = {}): Promise<AuditPage> {
    if ((options.verify ?? this.#mode) !== 'none') {
      const message = "audit records cannot be verified by a reader: ask for them with verify: 'none'";
      throw new VerificationError('audit_unverifiable', message);
    }
    const { factId, ...rest } = filter;
    const query = { ...rest, fact_id: factId };
    const answer = await this.#http.ask('/v1/federation/audit', { query, ...signalOf(options) });
    const { items, object } = listIn(answer, 'entries');
    return {
      entries: items.map((item) => JSON.parse(jsonText(item)) as unknown),
      cursor: textOrNull(object.get('cursor')),
    };
  }

  /**
   * Every fact in the order of the journal, at least once: what was not acknowledged comes again after a restart. With
   * `verify: 'full'` also what the node has erased, with its proof, and what it says that it is to erase.
   *
   * @throws ApiError, VerificationError; with `verify: 'full'` also `feed_gap` when a fact of the node is withheld
   */
  changes(options: ChangesOptions = {}): AsyncGenerator<Change, void, undefined> {
    return followChanges(options, {
      ask: (query, waitMs) => this.#http.ask('/v1/changes', { ...this.#reading(options), query, waitMs }),
      judge: (record, page) => this.#judge(record, bundleIn(page, record), options),
      judgeErasure: (proof) => this.#prover.erasure(proof),
      isFull: (options.verify ?? this.#mode) === 'full',
      nowMs: this.#nowMs,
    });
  }

  /** A server that has no proof says only that it has not the fact. */
  async #whyGone(id: string, error: unknown, options: ReadOptions): Promise<never> {
    const isFull = (options.verify ?? this.#mode) === 'full';
    if (!(error instanceof ApiError) || error.status !== 410 || error.detail === null || !isFull) throw error;
    const detail = parseJson(error.detail);
    const proof = detail.ok && isJsonObject(detail.value) ? detail.value.get('erasure_proof') : undefined;
    // A tombstone names a fact by its id alone.
    if (proof === undefined || looksLikeCid(id)) throw error;
    const erased = erasedFactOf(await this.#prover.erasure(proof));
    if (erased.factDigest === factIdDigest(id)) throw new FactErasedError(erased, error);
    const message = `${id} was asked for, the server proves that another fact is erased`;
    throw new VerificationError('answer_mismatch', message);
  }

  async #judge(
    record: JsonValue,
    bundle: JsonValue | undefined,
    options: ReadOptions,
  ): Promise<{ readonly fact: Fact; readonly proven: ProvenFact | null }> {
    const mode = options.verify ?? this.#mode;
    if (mode === 'none') return { fact: factOfRecord(record), proven: null };
    if (mode === 'cid') return { fact: demandCid(factOfRecord(record)), proven: null };
    const proven = await this.#prover.fact(bundle);
    return { fact: factOfProven(proven), proven };
  }

  /** One after the other: they share a checkpoint, which is compared with the last one once. */
  async #judgeAll(records: readonly JsonValue[], page: JsonObject, options: ReadOptions): Promise<Fact[]> {
    const facts: Fact[] = [];
    for (const record of records) facts.push((await this.#judge(record, bundleIn(page, record), options)).fact);
    return facts;
  }

  async #consistency(from: number, to: number): Promise<readonly Uint8Array[] | null> {
    const answer = await orNone(this.#http.ask('/v1/journal/consistency', { query: { from, to } }));
    if (answer === undefined) return null;
    return listIn(answer, 'hashes').items.map((hash) =>
      typeof hash === 'string' ? (decodeBase64(hash) ?? NO_HASH) : NO_HASH,
    );
  }

  #reading(options: ReadOptions): {
    readonly headers: Readonly<Record<string, string>>;
    readonly signal?: AbortSignal;
  } {
    const isFull = (options.verify ?? this.#mode) === 'full';
    return { headers: isFull ? { 'stigmem-verify': 'full' } : {}, ...signalOf(options) };
  }
}

const NO_HASH = new Uint8Array();

function signalOf({ signal }: Pick<ReadOptions, 'signal'>): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}

async function orNone(answer: Promise<JsonValue>): Promise<JsonValue | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

function listIn(
  answer: JsonValue,
  member: string,
): { readonly items: readonly JsonValue[]; readonly object: JsonObject } {
  const items = isJsonObject(answer) ? answer.get(member) : undefined;
  if (!isJsonObject(answer) || !Array.isArray(items)) throw malformed(member);
  return { items, object: answer };
}

/** The bundle of a record on a page, by its id: it may hold another fact, which the caller finds. */
function bundleIn(page: JsonValue, record: JsonValue): JsonValue | undefined {
  const bundles = isJsonObject(page) ? page.get('bundles') : undefined;
  const id = isJsonObject(record) ? record.get('id') : undefined;
  return isJsonObject(bundles) && typeof id === 'string' ? bundles.get(id) : undefined;
}

function textOrNull(value: JsonValue | undefined): string | null {
  if (typeof value === 'string') return value;
  return isJsonNumber(value) ? value.lexeme : null;
}

function queryOf(filter: FactFilter): Readonly<Record<string, string | number | boolean | undefined>> {
  const { entity, relation, source, scope, cursor, limit } = filter;
  return {
    entity,
    relation,
    source,
    scope,
    cursor,
    limit,
    garden_id: filter.gardenId,
    min_confidence: filter.minConfidence,
    include_contradicted: filter.includeContradicted,
    include_expired: filter.includeExpired,
    include_tombstones: filter.includeTombstones,
  };
}

/** A server that answers another question than was asked is found out, as far as the fact itself tells. */
function fits(fact: Fact, filter: FactFilter): boolean {
  return (
    (filter.entity === undefined || fact.entity === normal(filter.entity) || fact.entity === filter.entity) &&
    (filter.relation === undefined || fact.relation === filter.relation) &&
    (filter.source === undefined || fact.source === normal(filter.source) || fact.source === filter.source) &&
    (filter.scope === undefined || fact.scope === filter.scope) &&
    (filter.gardenId === undefined || fact.gardenId === filter.gardenId) &&
    fact.confidence >= (filter.minConfidence ?? 0)
  );
}
