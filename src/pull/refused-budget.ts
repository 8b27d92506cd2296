/**
 * How much of what a peer sends is judged, once it is refused. A peer that lies at full speed would keep the writer busy, and
 * the facts of all others would wait for it. Pure: the clock is an argument.
 */

/** Refusals that are nothing unusual: a page of them, at once. */
const BURST = 1_000;
/** A page that nobody notices waiting for, and that costs its peer a few dozen entries for one proof all the same. */
const SMALL_PAGE_ENTRIES = 32;

export class RefusedBudget {
  readonly #perSecond: number;
  /** Below zero while pages that were under way when it was spent are paid for. */
  #left = BURST;
  #atMs = 0;

  /** @param perSecond refused facts */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** A page was judged, and this many of its facts were refused. */
  spend(refused: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#left -= refused;
  }

  /** How long to leave the peer alone, milliseconds. */
  pauseMs(nowMs: number): number {
    this.#refill(nowMs);
    const missing = SMALL_PAGE_ENTRIES - this.#left;
    return missing <= 0 ? 0 : Math.ceil((missing * 1_000) / this.#perSecond);
  }

  /** What to ask for, at most: should all of it be refused, it is paid for. */
  ask(most: { readonly entries: number; readonly pages: number }, nowMs: number): typeof most {
    this.#refill(nowMs);
    if (this.#left === BURST) return most;
    const entries = Math.max(SMALL_PAGE_ENTRIES, Math.floor(this.#left));
    return { entries: Math.min(most.entries, entries), pages: 1 };
  }

  #refill(nowMs: number): void {
    // A clock that was put back gives nothing, and takes nothing away.
    const gained = (Math.max(0, nowMs - this.#atMs) * this.#perSecond) / 1_000;
    this.#left = Math.min(BURST, this.#left + gained);
    this.#atMs = nowMs;
  }
}
