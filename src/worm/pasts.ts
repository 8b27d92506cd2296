/**
 * Whether what a manifest holds is what this node has. The audit log says it by its root; anchors and receipts are in no tree, so the
 * newest record of each is compared: a copy is a past as a whole, and where its last record is ours, those before it are.
 */
import { encodeBase64 } from '../merkle/base64.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { decodeUtf8, parseNote } from '../merkle/note.ts';
import { MAX_SEGMENT_BYTES, type WormEnds, type WormSegment, type WormStream } from '../wire/worm-manifest.ts';
import { eraOf, type Manifests, type OpenedManifest } from './manifests.ts';
import type { WormSource } from './source.ts';

/** What the store has and this node has not, or has otherwise. */
export type Difference = 'audit_ahead' | 'audit_differs' | 'anchors_differ' | 'receipts_differ';

const OUTSIDE_OF_TREES = [
  ['anchors', 'anchors_differ'],
  ['receipts', 'receipts_differ'],
] as const;

export class Pasts {
  readonly #manifests: Manifests;
  readonly #source: WormSource;
  readonly #ends: WormEnds;

  private constructor(manifests: Manifests, source: WormSource, ends: WormEnds) {
    this.#manifests = manifests;
    this.#source = source;
    this.#ends = ends;
  }

  static async of(manifests: Manifests, source: WormSource): Promise<Pasts> {
    return new Pasts(manifests, source, await source.ends());
  }

  /** Null: all that this manifest and those before it hold is here. @throws WormError; the signal's reason */
  async difference(opened: OpenedManifest): Promise<Difference | null> {
    const parsed = parseNote(opened.manifest.audit);
    const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
    if (!checkpoint.ok) return 'audit_differs';
    const { size, root } = checkpoint.value;
    if (size > this.#ends.audit) return 'audit_ahead';
    if ((await this.#source.root('audit', size)) !== encodeBase64(root)) return 'audit_differs';
    for (const [stream, code] of OUTSIDE_OF_TREES) if (!(await this.#hasLast(stream, opened))) return code;
    return null;
  }

  async #hasLast(stream: WormStream, opened: OpenedManifest): Promise<boolean> {
    const end = opened.manifest.ends[stream];
    if (end === 0) return true;
    if (end > this.#ends[stream]) return false;
    const segment = await this.#segmentWith(stream, end, opened);
    const stored = segment === null ? null : await this.#lastLine(segment);
    // A store that keeps things for a time may have it no longer: nothing can be said against it then.
    if (stored === null) return true;
    const { text } = await this.#source.read(stream, end - 1, end);
    return holds(parseOrNull(text), parseOrNull(stored));
  }

  async #lastLine({ path, version }: WormSegment): Promise<string | null> {
    const stored = await this.#manifests.store.read(path, version, MAX_SEGMENT_BYTES);
    const lines = stored === undefined ? undefined : decodeUtf8(stored.bytes)?.trimEnd().split('\n');
    return lines?.at(-1) ?? null;
  }

  /** The segment that ends with a record: it is in the first manifest of its history whose stream ends there. */
  async #segmentWith(stream: WormStream, end: number, opened: OpenedManifest): Promise<WormSegment | null> {
    let top = opened;
    for (let era = eraOf(top); era.restore?.from[stream] === end; era = eraOf(top)) {
      const base = await this.#manifests.open(era.restore.base);
      if (base === null || base.manifest.number >= era.first) return null;
      top = base;
    }
    let [low, high] = [eraOf(top).first, top];
    while (low < high.manifest.number) {
      const middle = await this.#manifests.open(Math.floor((low + high.manifest.number) / 2));
      const reaches = middle !== null && middle.manifest.ends[stream] >= end;
      if (reaches) high = middle;
      else low = Math.floor((low + high.manifest.number) / 2) + 1;
    }
    return high.manifest.segments.find((one) => one.stream === stream && one.last === end) ?? null;
  }
}

/** A record of a later version may say more. */
function holds(ours: unknown, stored: unknown): boolean {
  if (typeof ours !== 'object' || ours === null || typeof stored !== 'object' || stored === null) return false;
  const members = new Map(Object.entries(ours));
  return Object.entries(stored).every(([key, value]) => JSON.stringify(members.get(key)) === JSON.stringify(value));
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
