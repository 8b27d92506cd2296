/** The newest answer that takes long to make, for who asks the same again within a while, or meanwhile. */
export class KeptAnswers<T> {
  readonly #forMs: number;
  readonly #make: (key: string) => Promise<T>;
  readonly #nowMs: () => number;
  #kept: { readonly key: string; readonly atMs: number; readonly answer: Promise<T> } | null = null;

  constructor(forMs: number, make: (key: string) => Promise<T>, nowMs: () => number) {
    this.#forMs = forMs;
    this.#make = make;
    this.#nowMs = nowMs;
  }

  get(key: string): Promise<T> {
    const nowMs = this.#nowMs();
    const kept = this.#kept;
    if (kept !== null && kept.key === key && Math.abs(nowMs - kept.atMs) < this.#forMs) return kept.answer;
    const made = { key, atMs: nowMs, answer: this.#make(key) };
    this.#kept = made;
    // A failure is nobody's answer but theirs who wait for it.
    made.answer.catch(() => {
      if (this.#kept === made) this.#kept = null;
    });
    return made.answer;
  }
}
