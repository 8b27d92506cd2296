/** What is held open, such as connections and event streams: so many of one holder, so that none keeps the others out, and so many in all. */
export class OpenCount {
  readonly #most: number;
  readonly #mostOfOne: number;
  readonly #onChange: (open: number) => void;
  readonly #ofOne = new Map<string, number>();
  #open = 0;

  /** @param onChange told how many are open now */
  constructor(most: number, mostOfOne: number, onChange: (open: number) => void = () => {}) {
    this.#most = most;
    this.#mostOfOne = mostOfOne;
    this.#onChange = onChange;
  }

  /** Counts one in. @returns counts it out, once; or the limit that is reached */
  enter(holder: string): (() => void) | { readonly most: number; readonly of: 'one' | 'all' } {
    if ((this.#ofOne.get(holder) ?? 0) >= this.#mostOfOne) return { most: this.#mostOfOne, of: 'one' };
    if (this.#open >= this.#most) return { most: this.#most, of: 'all' };
    this.#move(holder, 1);
    let isIn = true;
    return () => {
      if (isIn) this.#move(holder, -1);
      isIn = false;
    };
  }

  #move(holder: string, by: 1 | -1): void {
    const left = (this.#ofOne.get(holder) ?? 0) + by;
    if (left === 0) this.#ofOne.delete(holder);
    else this.#ofOne.set(holder, left);
    this.#open += by;
    this.#onChange(this.#open);
  }
}
