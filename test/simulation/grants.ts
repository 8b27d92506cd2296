/**
 * Who may read what, as the peer files said at each moment of a run and by the clock of the node whose they are: a grant that
 * ends does so when that node's clock says so, however wrong it is.
 */

/** A line of a peer file, Unix ms by the granting node's clock. */
export interface Grant {
  readonly notBeforeMs: number | null;
  readonly notAfterMs: number | null;
}

export const FOR_EVER: Grant = { notBeforeMs: null, notAfterMs: null };

interface Since<T> {
  /** Virtual ms since the start of the run. */
  readonly atMs: number;
  readonly value: T;
}

export class Grants {
  readonly #startMs: number;
  readonly #edits = new Map<string, Since<Grant | null>[]>();
  readonly #skews = new Map<string, Since<number>[]>();

  /** @param startMs Unix ms at which the run begins */
  constructor(startMs: number) {
    this.#startMs = startMs;
  }

  /** From `atMs` on the file of `to` at `from` says this of a feed; null: nothing. */
  edit(from: string, to: string, feed: string, atMs: number, grant: Grant | null): void {
    listAt(this.#edits, `${from} ${to} ${feed}`).push({ atMs, value: grant });
  }

  /** From `atMs` on the clock of a node is so wrong. */
  skew(node: string, atMs: number, skewMs: number): void {
    listAt(this.#skews, node).push({ atMs, value: skewMs });
  }

  /** What the file says now. */
  written(from: string, to: string, feed: string): Grant | null {
    return this.#edits.get(`${from} ${to} ${feed}`)?.at(-1)?.value ?? null;
  }

  /** Everything that the file ever said. */
  ever(from: string, to: string, feed: string): readonly Grant[] {
    return (this.#edits.get(`${from} ${to} ${feed}`) ?? []).flatMap(({ value }) => (value === null ? [] : [value]));
  }

  /** Whether a feed was open at one moment at least of `sinceMs` to `untilMs`, both inclusive. */
  wasOpen(from: string, to: string, feed: string, sinceMs: number, untilMs: number): boolean {
    const skews = [{ atMs: 0, value: 0 }, ...(this.#skews.get(from) ?? [])];
    const edits = this.#edits.get(`${from} ${to} ${feed}`) ?? [];
    return edits.some(({ atMs, value }, i) => {
      if (value === null) return false;
      const end = edits[i + 1]?.atMs ?? Number.POSITIVE_INFINITY;
      return skews.some((skew, j) => {
        const offset = this.#startMs + skew.value;
        const opens = Math.max(sinceMs, atMs, skew.atMs, (value.notBeforeMs ?? 0) - offset);
        const skewEnd = skews[j + 1]?.atMs ?? Number.POSITIVE_INFINITY;
        const closes = Math.min(end, skewEnd, (value.notAfterMs ?? Number.POSITIVE_INFINITY) - offset);
        return opens <= untilMs && opens < closes;
      });
    });
  }

  isOpen(from: string, to: string, feed: string, atMs: number): boolean {
    return this.wasOpen(from, to, feed, atMs, atMs);
  }
}

function listAt<T>(lists: Map<string, T[]>, key: string): T[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
