import type { ApiLimits } from '../api-limits.ts';

/** Open event streams: so many of one key, so that none keeps the others out, and so many in all. */
export class StreamCount {
  readonly #limits: Pick<ApiLimits, 'maxStreams' | 'maxStreamsOfKey'>;
  readonly #onChange: (open: number) => void;
  readonly #ofKey = new Map<string, number>();
  #open = 0;

  /** @param onChange told how many are open now */
  constructor(limits: Pick<ApiLimits, 'maxStreams' | 'maxStreamsOfKey'>, onChange: (open: number) => void) {
    this.#limits = limits;
    this.#onChange = onChange;
  }

  /** Counts one in. @returns counts it out, once; or the limit that is reached */
  enter(keyId: string): (() => void) | { readonly most: number; readonly of: 'key' | 'all' } {
    const { maxStreams, maxStreamsOfKey } = this.#limits;
    if ((this.#ofKey.get(keyId) ?? 0) >= maxStreamsOfKey) return { most: maxStreamsOfKey, of: 'key' };
    if (this.#open >= maxStreams) return { most: maxStreams, of: 'all' };
    this.#move(keyId, 1);
    let isIn = true;
    return () => {
      if (isIn) this.#move(keyId, -1);
      isIn = false;
    };
  }

  #move(keyId: string, by: 1 | -1): void {
    const left = (this.#ofKey.get(keyId) ?? 0) + by;
    if (left === 0) this.#ofKey.delete(keyId);
    else this.#ofKey.set(keyId, left);
    this.#open += by;
    this.#onChange(this.#open);
  }
}
