/** Restores as a reader of a chain meets them: what each goes on from has to be what it says, and it may leave nothing of the journal. */
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { parseNote } from '../merkle/note.ts';
import {
  manifestPath,
  WORM_STREAMS,
  type WormEnds,
  type WormManifest,
  type WormRestore,
} from '../wire/worm-manifest.ts';
import { eraOf, leftBefore, Manifests, type ManifestTrust } from './manifests.ts';
import { newestBelow, newestNumber, openOrNull } from './newest.ts';
import { NOWHERE } from './place.ts';
import { WormError, type WormStore } from './store.ts';
import { NO_TREES, type TreeCheck, type TreesState } from './tree-check.ts';

type RestoreProblem = (
  path: string,
  code: 'restore_invalid' | 'restore_forked' | 'restore_rewound' | 'restore_unknown',
  detail: string,
) => void;

/** What has to be known again when a restore goes on from a manifest. */
interface Kept {
  readonly digest: string | null;
  readonly ends: WormEnds;
  readonly trees: TreesState;
}

/**
 * The manifests that restores go on from, as the newest ones name them: where a reader has to keep how far it was. A claim that the
 * walk through the chain does not bear out is found there.
 */
export async function restoredBases(
  store: WormStore,
  trust: ManifestTrust,
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
  const bases = new Set<number>();
  const manifests = new Manifests(store, trust, signal);
  const newest = await newestNumber(store, 0, signal).catch((error: unknown) => {
    if (error instanceof WormError && error.code === 'store_other_log') return 0;
    throw error;
  });
  const first = newest === 0 ? null : await openOrNull(manifests, newest);
  let top = first ?? (await newestBelow(manifests, newest));
  while (top !== null) {
    const era = eraOf(top);
    if (era.restore !== undefined) bases.add(era.restore.base);
    top = await leftBefore(manifests, era);
  }
  return bases;
}

export class RestoreCheck {
  readonly found: WormRestore[] = [];
  readonly #trees: TreeCheck;
  readonly #bases: ReadonlySet<number>;
  readonly #kept = new Map<number, Kept>([[0, { digest: null, ends: NOWHERE.ends, trees: NO_TREES }]]);
  readonly #problem: RestoreProblem;
  /** Told of a restore already: that its journal is shorter than what was signed. */
  #isRewound = false;
  /** By the manifest before. */
  #named: WormRestore | undefined;

  constructor(trees: TreeCheck, bases: ReadonlySet<number>, problem: RestoreProblem) {
    this.#trees = trees;
    this.#bases = bases;
    this.#problem = problem;
  }

  /** @param ends of the manifest before @returns what the streams of this one go on behind */
  enter(path: string, manifest: WormManifest, number: number, ends: WormEnds): WormEnds {
    const { restored } = manifest;
    const isNamed = JSON.stringify(restored) === JSON.stringify(this.#named);
    this.#named = restored;
    if (restored?.number !== number) {
      if (!isNamed) this.#problem(path, 'restore_invalid', 'it names another restore than the manifest before it');
      return ends;
    }
    const kept = this.#kept.get(restored.base);
    const why =
      kept === undefined
        ? 'it goes on from a manifest whose records cannot be told'
        : this.#fault(restored, kept, ends);
    this.found.push(restored);
    if (why !== null) this.#problem(path, 'restore_invalid', why);
    if (kept === undefined) {
      for (const stream of WORM_STREAMS) this.#trees.giveUp(stream);
      return restored.from;
    }
    this.#judge(path, manifest, restored);
    this.#trees.goOnFrom(kept.trees, manifestPath(number - 1));
    return kept.ends;
  }

  /** Where a restore goes on from, the reader has to know how far it was there. */
  keep(number: number, digest: string, ends: WormEnds): void {
    if (this.#bases.has(number)) this.#kept.set(number, { digest, ends, trees: this.#trees.state() });
  }

  /** @param known how many restores the reader knows of; null: any number */
  end(number: number, known: number | null): void {
    const { owed } = this.#trees;
    if (owed !== null && !this.#isRewound) {
      const detail = `${owed} entries were signed before the restore, and are not shipped behind it: where the export is still at it, verify again later`;
      this.#problem(manifestPath(number), 'restore_rewound', detail);
    }
    const first = known === null ? undefined : this.found[known];
    if (first === undefined) return;
    const detail = `restores that the chain names: ${this.found.length}, that are known: ${known}; here it goes on from manifest ${first.base}`;
    this.#problem(manifestPath(first.number), 'restore_unknown', detail);
  }

  #fault({ base_digest, count, from, left }: WormRestore, kept: Kept, ends: WormEnds): string | null {
    if (base_digest !== kept.digest) return 'it goes on from another manifest than the one that is there';
    if (!sameEnds(from, kept.ends)) return 'the manifest that it goes on from ends elsewhere than it says';
    if (!sameEnds(left, ends)) return 'the manifest before it ends elsewhere than it says';
    return count === this.found.length + 1 ? null : `expected restore ${this.found.length + 1}, got ${count}`;
  }

  #judge(path: string, { journal }: WormManifest, { base, number }: WormRestore): void {
    const parsed = parseNote(journal);
    const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
    const size = checkpoint.ok ? checkpoint.value.size : 0;
    if (size < this.#trees.signedSize) {
      this.#isRewound = true;
      const detail = `its journal has ${size} entries, and ${this.#trees.signedSize} were signed before: who goes on from an old copy hides the others`;
      this.#problem(path, 'restore_rewound', detail);
    }
    const leaving = this.found.find((one) => one.number - 1 === base && one.number !== number);
    if (leaving === undefined) return;
    const detail = `it goes on from manifest ${base}, which manifest ${leaving.number} had left: two copies of the node were running`;
    this.#problem(path, 'restore_forked', detail);
  }
}

function sameEnds(a: WormEnds, b: WormEnds): boolean {
  return WORM_STREAMS.every((stream) => a[stream] === b[stream]);
}
