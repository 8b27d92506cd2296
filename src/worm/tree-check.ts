/** Both trees made again from what was shipped, against every checkpoint and anchor in the chain. */
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { CompactRange, type CompactState } from '../merkle/compact-range.ts';
import { sameHash } from '../merkle/hash.ts';
import { ed25519Verifier, parseNote, verifyNote } from '../merkle/note.ts';
import type { WormStream } from '../wire/worm-manifest.ts';
import type { ManifestTrust } from './manifests.ts';

type LogName = 'journal' | 'audit';
type TreeProblem = (path: string, code: 'checkpoint_invalid' | 'root_mismatch', detail: string) => void;

/** A checkpoint that is compared when as many leaves are there. */
interface Waiting {
  readonly path: string;
  readonly size: number;
  readonly root: Uint8Array;
}

export interface TreesState {
  readonly journal: CompactState;
  readonly audit: CompactState;
  readonly broken: ReadonlySet<LogName>;
  /** Checkpoints of the audit log beyond its leaves: they hold for whatever goes on from here. */
  readonly waiting: readonly Waiting[];
}

const NO_LEAVES: CompactState = { size: 0, peaks: [], kept: [] };
export const NO_TREES: TreesState = { journal: NO_LEAVES, audit: NO_LEAVES, broken: new Set(), waiting: [] };

export class TreeCheck {
  readonly #trust: ManifestTrust;
  readonly #problem: TreeProblem;
  #trees = { journal: new CompactRange(), audit: new CompactRange() };
  #waiting: { journal: readonly Waiting[]; audit: readonly Waiting[] } = { journal: [], audit: [] };
  #broken = new Set<LogName>();
  #auditOrigin: string | null = null;
  /** The largest checkpoint of the journal so far. */
  #signed: Waiting | null = null;
  /** What the journal behind a restore has to reach, since it was signed before. */
  #owed: Waiting | null = null;

  constructor(trust: ManifestTrust, problem: TreeProblem) {
    this.#trust = trust;
    this.#problem = problem;
  }

  state(): TreesState {
    const { journal, audit } = this.#trees;
    return {
      journal: journal.state(),
      audit: audit.state(),
      broken: new Set(this.#broken),
      waiting: this.#waiting.audit,
    };
  }

  /** The largest size of the journal that a manifest so far names. */
  get signedSize(): number {
    return this.#signed?.size ?? 0;
  }

  /** A size that was signed before a restore, and that was not shipped again behind it; null: none. */
  get owed(): number | null {
    const isThere = this.#owed === null || this.#broken.has('journal') || this.#trees.journal.size >= this.#owed.size;
    return isThere ? null : (this.#owed?.size ?? null);
  }

  /**
   * The node was put back from a copy. The audit log goes on from there as another one; the journal is one history: what was
   * signed and shipped of it before has to be what is shipped from now on.
   *
   * @param path of the manifest that is left
   */
  goOnFrom(state: TreesState, path: string): void {
    const { journal } = this.#trees;
    const shipped = this.#broken.has('journal') ? [] : [{ path, size: journal.size, root: journal.root() }];
    this.#trees = { journal: new CompactRange(state.journal), audit: new CompactRange(state.audit) };
    this.#broken = new Set(state.broken);
    this.#owed = this.#signed;
    this.#waiting = {
      journal: [...this.#waiting.journal, ...shipped, ...(this.#signed ? [this.#signed] : [])],
      audit: state.waiting,
    };
    this.#compareDue('journal');
  }

  append(log: LogName, leaf: Uint8Array): void {
    this.#trees[log].append(leaf);
    // Paths of leaves are kept as the tree grows; nobody asks for them here.
    this.#trees[log].forget(this.#trees[log].size - 1);
    this.#compareDue(log);
  }

  /** The checkpoint is compared when its leaves are there. */
  expect(path: string, log: LogName, note: string): void {
    const parsed = parseNote(note);
    const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
    if (!parsed.ok || !checkpoint.ok) {
      this.#problem(path, 'checkpoint_invalid', `the checkpoint of the ${log} is none`);
      return;
    }
    const { origin, size, root } = checkpoint.value;
    if (log === 'audit') this.#auditOrigin ??= origin;
    const wanted = log === 'journal' ? this.#trust.origin : (this.#auditOrigin ?? origin);
    const isSigned = this.#trust.keys.some((key) => verifyNote(parsed.value, [ed25519Verifier(wanted, key)]).ok);
    if (origin !== wanted || !isSigned) {
      this.#problem(path, 'checkpoint_invalid', `the checkpoint of the ${log} is not signed by the keys given`);
      return;
    }
    const waiting = { path, size, root };
    this.#waiting = { ...this.#waiting, [log]: [...this.#waiting[log], waiting] };
    if (log === 'journal' && size > this.signedSize) this.#signed = waiting;
    this.#compareDue(log);
  }

  /** What stands behind a hole gives no tree: one problem is told, not one for each checkpoint. */
  giveUp(stream: WormStream): void {
    if (stream === 'journal' || stream === 'audit') this.#broken.add(stream);
  }

  #compareDue(log: LogName): void {
    const tree = this.#trees[log];
    const waiting = this.#waiting[log];
    const due = waiting.filter(({ size }) => size <= tree.size);
    if (due.length === 0) return;
    this.#waiting = { ...this.#waiting, [log]: waiting.filter(({ size }) => size > tree.size) };
    if (this.#broken.has(log)) return;
    for (const { path, size, root } of due) {
      // Smaller than what is there: it was compared at its own manifest, or nothing can be said of it any more.
      if (size < tree.size || sameHash(tree.root(), root)) continue;
      this.#problem(
        path,
        'root_mismatch',
        `the ${log} as shipped has another root over ${size} records than was signed`,
      );
    }
  }
}
