/**
 * What this node has signed, as witnesses over HTTP and its own anchors know it. A checkpoint that our own key has signed
 * counts as one that a peer shows. A bare size is the witness's word: it makes the node wait for a proof as long as it waits
 * for peers, and is shown for as long as the witness stands by it, but it stops nobody.
 */
import { localNotes } from '../anchor/local-notes.ts';
import type { OwnHeadVerdict } from '../journal/guard.ts';
import { statedSize } from '../merkle/checkpoint.ts';
import type { PolicyWitness } from '../merkle/tlog-policy.ts';
import type { Logger } from '../observe/logger.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import { askCosigned, type CosignedAnswer } from '../witness/ask-http.ts';
import type { NewestCheckpoint } from '../worm/newest.ts';

export interface OutsideJournal {
  signedNote(): Promise<string | null>;
  guardView(): Promise<{ readonly size: number; readonly signedSize: number }>;
}

export interface OutsideDeps {
  readonly journal: OutsideJournal;
  readonly http: HttpClient;
  readonly origin: string;
  /** Of the node's own policy; those without a URL are not asked. */
  readonly witnesses: readonly Pick<PolicyWitness, 'keyName' | 'name' | 'url'>[];
  /** Path of the local log; null: none is configured. */
  readonly anchorFile: string | null;
  /** The newest checkpoint that was shipped to a store that forgets nothing; null: nothing is shipped anywhere. */
  readonly shippedHead: (
    signal: AbortSignal,
  ) => Promise<{ readonly newest: NewestCheckpoint; readonly shownBy: string } | null>;
  readonly logger: Pick<Logger, 'warn'>;
}

/** Judges a checkpoint that is shown as ours. */
export type Compare = (note: string, shownBy: string) => Promise<OwnHeadVerdict>;

interface Claim {
  readonly label: string;
  readonly size: number;
}

export class OutsideHeads {
  readonly #deps: OutsideDeps;
  /** Sizes above ours that witnesses have named without proof, by the name of their key. */
  readonly #claims = new Map<string, Claim>();
  readonly #answered = new Set<string>();
  #isShown = false;
  /** What stands in the store of records and cannot be opened; null: nothing. */
  #unopened: string | null = null;

  constructor(deps: OutsideDeps) {
    this.#deps = deps;
  }

  /** Witnesses that can be asked. */
  get asked(): number {
    return this.#reachable().length;
  }

  get answered(): number {
    return this.#answered.size;
  }

  /** A witness has shown a checkpoint of ours. Anchors do not count: they may come from the same copy as the journal. */
  get isShown(): boolean {
    return this.#isShown;
  }

  /** The largest size that a witness stands by without proof; 0: none. What nobody can open may hold any number. */
  get claimed(): number {
    if (this.#unopened !== null) return Number.POSITIVE_INFINITY;
    return Math.max(0, ...[...this.#claims.values()].map(({ size }) => size));
  }

  /** The same for operators; null: none. */
  get warning(): string | null {
    if (this.#unopened !== null)
      return `${this.#unopened}: this node may have signed more than is here. If this folder was put back from a copy, stop the node and put a newer one back, with the newest keys; else look at the versions of that object and at who may write there`;
    if (this.#claims.size === 0) return null;
    const said = [...this.#claims.values()].map(
      ({ label, size }) => `${label} says that it has cosigned ${size} entries`,
    );
    return `${said.join(', ')} of this log, which are not here, and nobody shows a checkpoint of ours over them: if this folder was put back from a copy, stop the node and put a newer one back; else have the witness looked at, or take it out of the policy`;
  }

  /** Asks everybody, each for itself. Rejects only when the journal fails or `signal` is aborted. */
  async ask(compare: Compare, signal: AbortSignal): Promise<void> {
    await Promise.all([
      this.#readAnchors(compare),
      this.#readShipped(compare, signal),
      ...this.#reachable().map((witness) => this.#askWitness(witness, compare, signal)),
    ]);
  }

  /**
   * A witness has said, without proof, how much of our log it has cosigned.
   *
   * @returns whether that is news
   */
  claim(witness: string, label: string, size: number): boolean {
    if (this.#claims.get(witness)?.size === size) return false;
    this.#claims.set(witness, { label, size });
    return true;
  }

  /** A witness has cosigned what is here. @returns whether it had said otherwise */
  settle(witness: string): boolean {
    return this.#claims.delete(witness);
  }

  /** The journal holds so many entries now, all of them given back under checkpoints of ours. */
  restored(size: number): void {
    for (const [witness, claim] of this.#claims) if (claim.size <= size) this.#claims.delete(witness);
  }

  #reachable(): readonly { readonly keyName: string; readonly name: string; readonly url: string }[] {
    return this.#deps.witnesses.flatMap(({ keyName, name, url }) => (url === null ? [] : [{ keyName, name, url }]));
  }

  async #askWitness(
    { keyName, name, url }: { readonly keyName: string; readonly name: string; readonly url: string },
    compare: Compare,
    signal: AbortSignal,
  ): Promise<void> {
    const { http, journal, origin } = this.#deps;
    const answer = await askCosigned(http, url, { origin, signed: await journal.signedNote() }, signal);
    if (answer === null) return;
    this.#answered.add(keyName);
    const size = await this.#unproven(answer, keyName, compare);
    const here = await journal.guardView();
    if (size > Math.max(here.size, here.signedSize)) this.claim(keyName, name, size);
    // One that stands by its word is not answered by entries that were written since.
    else if (size < (this.#claims.get(keyName)?.size ?? 0)) this.settle(keyName);
  }

  /** The size that the witness only says; 0 when it has shown a checkpoint of ours over as much. */
  async #unproven({ note, size }: CosignedAnswer, keyName: string, compare: Compare): Promise<number> {
    if (note === null) return size;
    const verdict = await compare(note, keyName);
    // Under a key of ours that this copy does not know, or under nobody's: it cannot be told which.
    if (verdict.kind === 'foreign') return Math.max(size, statedSize(note));
    this.#isShown = true;
    return size;
  }

  /** As anchors: it counts for what it shows. What is newer and cannot be opened is a claim of an unknown size. */
  async #readShipped(compare: Compare, signal: AbortSignal): Promise<void> {
    const { logger, shippedHead } = this.#deps;
    const head = await shippedHead(signal).catch((error: unknown) => {
      signal.throwIfAborted();
      logger.warn({ error: String(error) }, 'the store of records cannot be asked for the newest checkpoint');
      return null;
    });
    if (head === null) return;
    const { newest, shownBy } = head;
    this.#unopened = newest.kind === 'unreadable' ? newest.detail : null;
    // All of them: a restore may claim to go on from less than was signed before it.
    for (const note of newest.kind === 'none' ? [] : newest.notes) await compare(note, shownBy);
  }

  /** The newest note of ours in the file. Those before it say nothing more. */
  async #readAnchors(compare: Compare): Promise<void> {
    const { anchorFile, origin, logger } = this.#deps;
    if (anchorFile === null) return;
    const notes = await localNotes(anchorFile, origin).catch((error: unknown) => {
      logger.warn({ file: anchorFile, error: String(error) }, 'the local anchors cannot be read');
      return [];
    });
    for (const note of notes) if ((await compare(note, anchorFile)).kind !== 'foreign') return;
  }
}
