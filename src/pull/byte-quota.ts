/**
 * How many bytes of pages are taken from a peer in a day. What it sends within its grant is stored, refused or not: without a
 * bound it could fill the disk. Pure: the clock is an argument. Not kept over a restart.
 */
import { DAY_MS } from '../core/time.ts';

/** Once it is spent, so much of a day's share has to be there again: a peer is not pulled from page by page. */
const SHARE_TO_GO_ON = 1 / 96;

export class ByteQuota {
  readonly #perDay: number;
  /** Below zero while pages that were under way when it was spent are paid for. */
  #left: number;
  #atMs = 0;

  constructor(bytesPerDay: number) {
    this.#perDay = bytesPerDay;
    this.#left = bytesPerDay;
  }

  spend(bytes: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#left -= bytes;
  }

  /** How long nothing more is taken, milliseconds. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    if (this.#left > 0) return 0;
    return Math.ceil(((this.#perDay * SHARE_TO_GO_ON - this.#left) * DAY_MS) / this.#perDay);
  }

  #refill(nowMs: number): void {
    // A clock that was put back gives nothing, and takes nothing away.
    const gained = (Math.max(0, nowMs - this.#atMs) * this.#perDay) / DAY_MS;
    this.#left = Math.min(this.#perDay, this.#left + gained);
    this.#atMs = nowMs;
  }
}
