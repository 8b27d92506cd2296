/** Takes facts that were asserted here: verified, compared with what is held, appended in one transaction. */
import { parseJson } from '../core/json.ts';
import { isoMicros, parseIsoInstant } from '../core/time.ts';
import { TOMBSTONE } from '../core/tombstone.ts';
import type { Journal } from '../journal/journal.ts';
import type { AssertOutcome, StoredFact } from '../journal/read-model.ts';
import { span } from '../observe/trace.ts';
import type { FactReader } from '../projections/fact-reader.ts';
import type { Projector } from '../projections/projector.ts';
import {
  type AssertContext,
  type AssertRefusal,
  type AssertRequest,
  type VerifiedAssertion,
  verifyAssertion,
} from '../verify/assertion.ts';

/** A request on its way to the journal's thread: number literals survive as JSON text, objects would not. */
export type SentAssertRequest = Omit<AssertRequest, 'value'> & { readonly valueJson: string };

type Checked = { readonly assertion: VerifiedAssertion } | { readonly refusal: AssertRefusal };

const ASK_FOR_IT = `${TOMBSTONE} is written by the node itself: see POST /v1/tombstones`;

export class Asserting {
  readonly #journal: Journal;
  readonly #facts: FactReader;
  readonly #projector: Projector;

  constructor(journal: Journal, facts: FactReader, projector: Projector) {
    this.#journal = journal;
    this.#facts = facts;
    this.#projector = projector;
  }

  assert(requests: readonly SentAssertRequest[], context: AssertContext): AssertOutcome[] {
    this.#catchUp();
    const checked = span('verify facts', { facts: requests.length }, () =>
      requests.map((request) => this.#open(request, check(request, context))),
    );
    const held = checked.map((one) => ('assertion' in one ? this.#held(one.assertion, context.nowMs) : undefined));

    const fresh = new Map<string, VerifiedAssertion>();
    checked.forEach((one, i) => {
      if ('assertion' in one && held[i] === undefined) fresh.set(one.assertion.cid, one.assertion);
    });
    const append = (): ReturnType<Journal['appendOwn']> => this.#journal.appendOwn([...fresh.values()], context.nowMs);
    const entries = fresh.size === 0 ? [] : span('append facts', { facts: fresh.size }, append);
    if (entries.length > 0) this.#catchUpStored();

    const ids = new Map(entries.map((entry) => [entry.cid, entry.fact_id]));
    return checked.map((one, i) => {
      if ('refusal' in one) return { kind: 'refused', refusal: one.refusal };
      const id = held[i]?.entry.fact_id ?? ids.get(one.assertion.cid) ?? '';
      const repeated = held[i] !== undefined || fresh.get(one.assertion.cid) !== one.assertion;
      return this.#outcome(id, one.assertion, repeated);
    });
  }

  /** What is hidden from readers must not leave in other words: only what stays here may be made from it. */
  #open({ derived_from, scope }: SentAssertRequest, checked: Checked): Checked {
    const hidden = 'refusal' in checked || scope === 'local' ? null : this.#facts.hiddenSource(derived_from);
    if (hidden === null) return checked;
    const message = `derived_from names ${hidden}, which is in quarantine or was made from what is: promote it first, or assert in scope local`;
    return { refusal: { code: 'derived_from_quarantined', field: 'derived_from', message } };
  }

  /** A fact of the same content that still stands. One that was withdrawn or has run out may be asserted anew. */
  #held(assertion: VerifiedAssertion, nowMs: number): StoredFact | undefined {
    return this.#facts
      .standing(assertion.cid)
      .find(({ entry, quarantine }) => quarantine === null && !isOver(entry.valid_until, nowMs));
  }

  #outcome(id: string, assertion: VerifiedAssertion, repeated: boolean): AssertOutcome {
    const found = this.#facts.byId(id);
    if (found.kind !== 'found') throw new Error(`fact ${id} cannot be read back: run \`stigmem-peerd fsck\``);
    const warnings = repeated ? [...assertion.warnings, ...ignored(found.fact, assertion)] : assertion.warnings;
    return { kind: 'stored', fact: found.fact, warnings, repeated };
  }

  /** Look-ups must know every entry before they can say that a fact is new. */
  #catchUp(): void {
    while (this.#projector.advance() > 0);
  }

  /** The facts are stored and on their way to peers: look-ups that cannot be filled (a full disk) undo nothing of that. */
  #catchUpStored(): void {
    try {
      this.#catchUp();
    } catch {
      // The thread's own catch-up meets the same behind this call: it tells it and tries again.
    }
  }
}

function check(request: SentAssertRequest, context: AssertContext): Checked {
  const { valueJson, ...rest } = request;
  // A tombstone erases: it is asked for by those who may, and never written by whoever may write facts.
  if (rest.relation === TOMBSTONE)
    return { refusal: { code: 'namespace_reserved', field: 'relation', message: ASK_FOR_IT } };
  const value = parseJson(valueJson);
  if (!value.ok) throw new TypeError('a value arrived as no JSON');
  const verified = verifyAssertion({ ...rest, value: value.value }, context);
  return verified.ok ? { assertion: verified.value } : { refusal: verified.error };
}

function isOver(validUntil: string | null, nowMs: number): boolean {
  if (validUntil === null) return false;
  const end = parseIsoInstant(validUntil);
  const now = parseIsoInstant(isoMicros(nowMs * 1000));
  return end.ok && now.ok && end.value <= now.value;
}

function ignored({ entry }: StoredFact, assertion: VerifiedAssertion): string[] {
  const differs = entry.valid_until !== assertion.valid_until || entry.interpret_as !== assertion.interpret_as;
  return differs ? ['this fact is held already; its valid_until and interpret_as stay as they are'] : [];
}
