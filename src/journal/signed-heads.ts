/**
 * The last checkpoints that this node signed, kept outside the journal's own file: a journal that was rolled back or
 * restored from an old copy would otherwise sign a second history under one origin.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { JournalError } from './errors.ts';
import type { LogName } from './tables.ts';

interface SignedHeads {
  readonly v: 1;
  readonly journal: SignedHead | null;
  readonly audit: SignedHead | null;
  /** A checkpoint of our own that the journal contradicted. */
  readonly forked?: string | undefined;
}

export interface SignedHead {
  readonly size: number;
  /** Base64. */
  readonly root: string;
  readonly note: string;
}

const HEAD = z.strictObject({ size: z.number().int().nonnegative(), root: z.string(), note: z.string() });
const HEADS: z.ZodType<SignedHeads> = z.strictObject({
  v: z.literal(1),
  journal: HEAD.nullable(),
  audit: HEAD.nullable(),
  forked: z.string().optional(),
});

export class SignedHeadFile {
  readonly wasMissing: boolean;
  readonly #path: string;
  #heads: SignedHeads;

  private constructor(path: string, heads: SignedHeads, wasMissing: boolean) {
    this.#path = path;
    this.#heads = heads;
    this.wasMissing = wasMissing;
  }

  static create(path: string): void {
    writeDurably(path, { v: 1, journal: null, audit: null });
  }

  static open(path: string): SignedHeadFile {
    return new SignedHeadFile(path, readHeads(path), false);
  }

  /** As {@link open}; a file that is not there is made, and {@link wasMissing} says so: then only peers know what was signed. */
  static openOrCreate(path: string): SignedHeadFile {
    if (existsSync(path)) return SignedHeadFile.open(path);
    SignedHeadFile.create(path);
    return new SignedHeadFile(path, readHeads(path), true);
  }

  last(log: LogName): SignedHead | null {
    return this.#heads[log];
  }

  /**
   * Records `next` if `known` is what the file says was signed last. Durable when it returns: only then may the
   * signature leave. A crash before the rename leaves the old head, and the new note was shown to nobody.
   *
   * @throws JournalError `foreign_write` if another process has signed meanwhile
   */
  advance(log: LogName, known: SignedHead | null, next: SignedHead): void {
    const stored = readHeads(this.#path);
    if (stored[log]?.note !== known?.note) {
      throw new JournalError(
        'foreign_write',
        `${this.#path} names a newer signed checkpoint than this process made: another process signs with this log's key. Stop it, then start again.`,
      );
    }
    this.set(log, next);
  }

  /** A checkpoint that this node signed and that the journal contradicted when it was shown; null: none is known. */
  get forked(): string | null {
    return this.#heads.forked ?? null;
  }

  /** Records such a checkpoint, so that the next start knows of it; null: the journal that was put back agrees with it. */
  setForked(note: string | null): void {
    const { forked, ...heads } = readHeads(this.#path);
    const next = note === null ? heads : { ...heads, forked: note };
    writeDurably(this.#path, next);
    this.#heads = next;
  }

  /** Records what is known to have been signed last, whatever stood there: a restored folder learns it from its peers. */
  set(log: LogName, head: SignedHead | null): void {
    const heads = { ...readHeads(this.#path), [log]: head };
    writeDurably(this.#path, heads);
    // Not before it is durable: on a full disk the head would be handed out that no file names.
    this.#heads = heads;
  }
}

function readHeads(path: string): SignedHeads {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new JournalError(
      'history_rewritten',
      `${path} cannot be read. It guards against signing a second history; restore it from the same moment as the journal.`,
      { cause },
    );
  }
  const parsed = HEADS.safeParse(parseOrNull(text));
  if (!parsed.success) throw new JournalError('history_rewritten', `${path} is damaged: ${parsed.error.message}`);
  return parsed.data;
}

function parseOrNull(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function writeDurably(path: string, heads: SignedHeads): void {
  const temporary = `${path}.tmp`;
  const file = openSync(temporary, 'w', 0o600);
  try {
    // Not writeSync: on a disk that is nearly full it writes what fits, and reports no error.
    writeFileSync(file, `${JSON.stringify(heads)}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
  const folder = openSync(dirname(path), 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
