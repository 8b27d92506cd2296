/** The node's own checkpoints in the journal's thread: cosignatures on them, and which of them is served. */
import type { PolicyState } from '../core/witness-report.ts';
import type { Journal } from '../journal/journal.ts';
import { cosignatureTime, cosignatureVerifier } from '../merkle/cosignature.ts';
import { formatSignatureLine, parseNote } from '../merkle/note.ts';
import { checkWitnessPolicy, type QuorumUnmet, type WitnessPolicy } from '../merkle/tlog-policy.ts';
import { parseCosignatures } from '../merkle/witness-body.ts';

/** A key whose cosignatures count. */
export interface TrustedWitness {
  readonly name: string;
  /** Raw Ed25519 key. */
  readonly key: Uint8Array;
  /** POSIX seconds: a cosignature that is dated later does not count. Null: no end is known. */
  readonly endsAtS: number | null;
}

/** A checkpoint as peers get it: a note with every cosignature collected. */
export interface ServedHead {
  readonly size: number;
  readonly note: string;
}

/** Checkpoints with a cosignature that are looked through for one that meets the policy. */
const MAX_LOOKED_THROUGH = 64;

export class OwnHeads {
  readonly #journal: Journal;
  readonly #policy: WitnessPolicy | null;
  #met: number | null;

  constructor(journal: Journal, policy: WitnessPolicy | null) {
    this.#journal = journal;
    this.#policy = policy;
    this.#met = this.#newestMet();
  }

  /**
   * Keeps the lines that verify over our checkpoint of that size.
   *
   * @param lines signature lines as a witness answered
   * @returns how many verify, those included that are there already
   */
  collect(size: number, lines: string, trusted: readonly TrustedWitness[], nowMs: number): number {
    const note = this.#journal.witness.cosignedNote('journal', size);
    const signatures = parseCosignatures(lines);
    if (note === undefined || signatures === undefined) return 0;
    const text = Buffer.from(note.slice(0, note.lastIndexOf('\n\n') + 1));
    const verifiers = trusted.map(({ name, key, endsAtS }) => ({ endsAtS, ...cosignatureVerifier(name, key) }));
    const good = signatures.filter((line) =>
      verifiers.some(
        (one) =>
          one.name === line.name &&
          one.keyId === line.keyId &&
          one.verify(text, line.signature) &&
          (one.endsAtS === null || (cosignatureTime(line.signature) ?? one.endsAtS) < one.endsAtS),
      ),
    );
    const added = this.#journal.durably(
      () => good.filter((line) => this.#save(size, line.name, formatSignatureLine(line), nowMs)).length,
    );
    if (this.#policy !== null && added > 0 && size > (this.#met ?? 0) && this.#unmet(size) === null) this.#met = size;
    return good.length;
  }

  /**
   * The checkpoint to prove pages against: the newest that meets the node's own policy, else the newest.
   *
   * @param knownSize what the puller has verified: it is never shown less, which it would have to take for a rollback
   */
  served(knownSize: number): ServedHead {
    const head = this.#journal.head(0);
    const met = this.#met;
    const size = met !== null && met >= knownSize && met <= head.size ? met : head.size;
    const note = this.#journal.witness.cosignedNote('journal', size);
    if (note !== undefined) return { size, note };
    return { size: head.size, note: this.#journal.witness.withCosignatures('journal', head.size, head.checkpoint) };
  }

  /** null without a policy. */
  policyState(): PolicyState | null {
    if (this.#policy === null) return null;
    const { size } = this.#journal.head(0);
    const unmet = this.#unmet(size);
    const names = this.#policy.witnesses.map(({ name }) => name);
    const satisfied = unmet === null ? names.filter((name) => this.#hasCosigned(name, size)) : unmet.satisfied;
    const missing = names.filter((name) => !satisfied.includes(name));
    return { size, metSize: this.#met, isMet: unmet === null, satisfied, missing };
  }

  #save(size: number, witness: string, line: string, nowMs: number): boolean {
    return this.#journal.witness.saveCosignature('journal', size, witness, line, nowMs * 1000);
  }

  #hasCosigned(name: string, size: number): boolean {
    const witness = this.#policy?.witnesses.find((one) => one.name === name);
    return this.#journal.witness.cosignatures('journal', size).some((line) => line.witness === witness?.keyName);
  }

  /** null: the checkpoint meets the policy, or there is none. */
  #unmet(size: number): QuorumUnmet | null {
    if (this.#policy === null) return null;
    const text = this.#journal.witness.cosignedNote('journal', size);
    const note = text === undefined ? undefined : parseNote(text);
    if (note === undefined || !note.ok)
      return { satisfied: [], missing: this.#policy.witnesses.map(({ name }) => name) };
    const checked = checkWitnessPolicy(this.#journal.statements.withSuccessors(this.#policy), note.value);
    return checked.ok ? null : checked.error;
  }

  #newestMet(): number | null {
    if (this.#policy === null) return null;
    const sizes = this.#journal.witness.cosignedSizes('journal', MAX_LOOKED_THROUGH);
    return sizes.find((size) => this.#unmet(size) === null) ?? null;
  }
}
