/** A token bucket for each peer. What is refused costs nothing: a peer that keeps asking waits no longer than one that stops. */

export interface RequestRate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Bucket {
  tokens: number;
  atMs: number;
}

export class RequestRates {
  readonly #rate: RequestRate;
  readonly #buckets = new Map<string, Bucket>();

  constructor(rate: RequestRate) {
    this.#rate = rate;
  }

  /**
   * Takes one token of a peer.
   *
   * @param peerId one on the allow list, or a log that is known: nobody else reaches a protocol, so there are few
   * @param nowMs a clock that is put back gives nothing, and takes nothing away
   * @returns 0, or after how many ms the next request will pass
   */
  take(peerId: string, nowMs: number): number {
    const { perSecond, burst } = this.#rate;
    const bucket = this.#buckets.get(peerId) ?? { tokens: burst, atMs: nowMs };
    this.#buckets.set(peerId, bucket);
    bucket.tokens = Math.min(burst, bucket.tokens + (Math.max(0, nowMs - bucket.atMs) * perSecond) / 1000);
    bucket.atMs = nowMs;
    if (bucket.tokens < 1) return Math.ceil(((1 - bucket.tokens) * 1000) / perSecond);
    bucket.tokens--;
    return 0;
  }
}
