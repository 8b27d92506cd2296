/** Signs checkpoints of the two logs, and never a second history under one origin. */
import { encodeBase64 } from '../merkle/base64.ts';
import { signCheckpoint } from '../merkle/checkpoint.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import { ALG_ED25519, noteKeyId, parseNote } from '../merkle/note.ts';
import { rootAt } from '../merkle/tiles.ts';
import { type Db, prepareLastKey, prepareSummedInsert } from './database.ts';
import { JournalError } from './errors.ts';
import type { Summed } from './locator.ts';
import type { SignedHead, SignedHeadFile } from './signed-heads.ts';
import { StoredTiles } from './stored-tiles.ts';
import { LOGS, type LogName } from './tables.ts';

interface Tree {
  readonly size: number;
  root(): Buffer;
}

export class CheckpointSigner {
  readonly #db: Db;
  readonly #heads: SignedHeadFile;
  readonly #signers: Readonly<Record<LogName, LogSigner>>;
  readonly #lastKey: () => number;
  readonly #insert: (row: Summed<'checkpoints'>) => void;
  #held: string | null = null;

  constructor(db: Db, heads: SignedHeadFile, signers: Readonly<Record<LogName, LogSigner>>) {
    this.#db = db;
    this.#heads = heads;
    this.#signers = signers;
    this.#insert = prepareSummedInsert(db, 'checkpoints');
    this.#lastKey = prepareLastKey(db, 'checkpoints', 'checkpoint_id');
  }

  /**
   * Compares the journal with what was signed last.
   *
   * @throws JournalError `history_rewritten` if the journal is shorter than, or contradicts, a checkpoint that left the node
   */
  assertExtendsSigned(log: LogName, size: number): void {
    const last = this.#heads.last(log);
    if (last === null) return;
    const found = size < last.size ? `only ${size} entries` : this.#rootMismatch(log, last);
    if (found === undefined) return;
    throw new JournalError(
      'history_rewritten',
      `the ${log} has ${found}, but a checkpoint over ${last.size} entries was signed. This is an old copy or a changed file; ` +
        'going on would sign a second history. Restore the newest copy, or keep this folder and start a new node.',
    );
  }

  /** From now on nothing is signed. `why` is a sentence for whoever asks. */
  hold(why: string): void {
    this.#held = why;
  }

  release(): void {
    this.#held = null;
  }

  /** Why nothing may be signed or written; null: it may. */
  get held(): string | null {
    return this.#held;
  }

  /** Whether what was signed last is longer than the log. @throws JournalError as {@link assertExtendsSigned} if it contradicts */
  isBehind(log: LogName, size: number): boolean {
    const last = this.#heads.last(log);
    if (last !== null && last.size > size) return true;
    this.assertExtendsSigned(log, size);
    return false;
  }

  #rootMismatch(log: LogName, last: SignedHead): string | undefined {
    if (last.size === 0) return undefined;
    const root = encodeBase64(rootAt(last.size, new StoredTiles(this.#db, log)));
    return root === last.root ? undefined : `root ${root} where ${last.root} was signed`;
  }

  /** The newest checkpoint of a log; signs one if the tree has grown. Durable before it is returned. */
  head(log: LogName, tree: Tree): SignedHead {
    // Not even the last one that is known here: shown an older one than it has seen, a peer would call it a rollback.
    if (this.#held !== null) throw new JournalError('guarded', this.#held);
    const last = this.#heads.last(log);
    const signer = this.#signers[log];
    if (last !== null && last.size === tree.size && isSignedBy(last.note, signer)) return last;
    const root = tree.root();
    const next = {
      size: tree.size,
      root: encodeBase64(root),
      note: signCheckpoint(signer.name, tree.size, root, signer),
    };
    this.#heads.advance(log, last, next);
    this.record(log, next);
    return next;
  }

  /** Keeps a signed checkpoint among the others. */
  record(log: LogName, head: SignedHead): void {
    const id = this.#lastKey() + 1;
    const root = Buffer.from(head.root, 'base64');
    this.#insert({ checkpoint_id: id, log: LOGS[log], tree_size: head.size, root, note: head.note });
  }
}

/** Not so after a change of keys: the same tree head is then signed once more, by the new one. */
function isSignedBy(note: string, { name, publicKey }: LogSigner): boolean {
  const parsed = parseNote(note);
  const keyId = noteKeyId(name, ALG_ED25519, publicKey);
  return parsed.ok && parsed.value.signatures.some((line) => line.name === name && line.keyId === keyId);
}
