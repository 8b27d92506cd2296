/**
 * The disk under a simulated node: a folder in memory, and what goes wrong with it. A durable step is whatever makes
 * something outlive the process: a commit of SQLite, the renaming of the file of signed checkpoints. A crash may come before
 * or after each of them, or in the middle of the write.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import Database from 'better-sqlite3';
import { JOURNAL_FILE, SIGNED_HEADS_FILE } from '../../src/journal/files.ts';
import type { Chance } from './chance.ts';

/** Nothing of this process goes on. */
export class Crash extends Error {
  override readonly name = 'Crash';
  readonly code = 'crash';
}

export function isOfTheDead(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'crash';
}

export type CrashKind = 'before' | 'after' | 'torn';
export const CRASHES: readonly CrashKind[] = ['before', 'after', 'torn'];

interface PlannedCrash {
  /** Durable steps until it comes. */
  left: number;
  readonly kind: CrashKind;
}

const WAL_FILE = `${JOURNAL_FILE}-wal`;
const FILES = [JOURNAL_FILE, WAL_FILE, SIGNED_HEADS_FILE];
const KEYS_FOLDER = 'keys';
const NO_LIMIT = 1_073_741_823;

/** Of this process, by folder. */
const disks = new Map<string, Disk>();
type Written = { readonly name: string; readonly inTransaction: boolean };

export class Disk {
  folder: string;
  steps = 0;
  #generation = 0;
  #crash: PlannedCrash | undefined;
  #isDead = false;
  #isFull = false;
  #writer: Database.Database | undefined;
  readonly #root: string;
  readonly #chance: Chance;
  readonly #onCrash: (kind: CrashKind) => void;

  constructor(root: string, template: string, chance: Chance, onCrash: (kind: CrashKind) => void) {
    this.#root = root;
    this.#chance = chance;
    this.#onCrash = onCrash;
    this.folder = this.#nextFolder();
    copyFiles(template, this.folder);
  }

  get isFull(): boolean {
    return this.#isFull;
  }

  /** The process has a journal open, or dies from now on. */
  planCrash(kind: CrashKind, steps: number): void {
    this.#crash = { kind, left: steps };
  }

  /** What stands on the disk at this moment, as a backup would take it. */
  copy(name: string): string {
    const to = join(this.#root, name);
    fs.mkdirSync(to);
    copyFiles(this.folder, to);
    return to;
  }

  /** Nothing can be added any more, until there is room again. */
  setFull(isFull: boolean): void {
    this.#isFull = isFull;
    const db = this.#writer;
    if (db?.open !== true) return;
    db.pragma(`max_page_count = ${isFull ? Number(db.pragma('page_count', { simple: true })) : NO_LIMIT}`);
  }

  /** Dies now: what is on the disk is what the next process finds. @param torn bytes of the log behind which all is garbage */
  die(kind: CrashKind, torn?: number): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#crash = undefined;
    const dead = this.folder;
    this.folder = this.#nextFolder();
    copyFiles(dead, this.folder);
    if (torn !== undefined) this.#tear(join(this.folder, WAL_FILE), torn);
    this.#onCrash(kind);
  }

  /** The next process starts on these files, or on those of `copy`. */
  reborn(copy?: string): void {
    disks.delete(this.folder);
    if (copy !== undefined) {
      this.folder = this.#nextFolder();
      copyFiles(copy, this.folder);
    }
    disks.set(this.folder, this);
    this.#isDead = false;
    if (this.#writer?.open === true) this.#writer.close();
    this.#writer = undefined;
  }

  /** A statement of the journal that is written to. */
  write<T>(db: Database.Database, isDurable: boolean, run: () => T): T {
    if (this.#isDead) throw new Crash('the process is gone');
    this.#writer = db;
    return isDurable ? this.#step(run) : run();
  }

  rename(run: () => void): void {
    if (this.#isDead) throw new Crash('the process is gone');
    if (this.#isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    this.#step(run);
  }

  #step<T>(run: () => T): T {
    this.steps++;
    const crash = this.#crash;
    const isNow = crash !== undefined && crash.left-- <= 0;
    if (isNow && crash.kind === 'before') this.#stop(crash.kind);
    const sizeBefore = isNow ? sizeOf(join(this.folder, WAL_FILE)) : 0;
    const result = run();
    if (isNow) this.#stop(crash.kind, crash.kind === 'torn' ? sizeBefore : undefined);
    return result;
  }

  #stop(kind: CrashKind, torn?: number): never {
    this.die(kind, torn);
    throw new Crash(`died ${kind} a durable step`);
  }

  /** What was synced before stays; of what was being written, a part arrived, or another one. */
  #tear(file: string, from: number): void {
    const end = sizeOf(file);
    if (end <= from) return;
    const at = from + this.#chance.below(end - from);
    if (this.#chance.isHit(0.5)) fs.truncateSync(file, at);
    else {
      const handle = fs.openSync(file, 'r+');
      fs.writeSync(handle, this.#chance.fill(Buffer.alloc(Math.min(end - at, 64))), 0, undefined, at);
      fs.closeSync(handle);
    }
  }

  #nextFolder(): string {
    const folder = join(this.#root, String(++this.#generation));
    fs.mkdirSync(folder, { recursive: true });
    return folder;
  }
}

function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

export function copyFiles(from: string, to: string): void {
  for (const name of FILES) if (fs.existsSync(join(from, name))) fs.copyFileSync(join(from, name), join(to, name));
  if (fs.existsSync(join(from, KEYS_FOLDER)))
    fs.cpSync(join(from, KEYS_FOLDER), join(to, KEYS_FOLDER), { recursive: true });
}

/** Puts the disks between the product and SQLite, and between it and the file of signed checkpoints. */
export function installDisks(): void {
  const memory = new Database(':memory:');
  const statements = Object.getPrototypeOf(memory.prepare('SELECT 1'));
  memory.close();
  const { run } = statements;
  statements.run = function (this: Database.Statement & { database: Database.Database }, ...args: unknown[]) {
    return guard(this.database, this.source, () => run.apply(this, args));
  };
  const { exec } = Database.prototype;
  Database.prototype.exec = function (this: Database.Database, sql: string) {
    return guard(this, sql, () => exec.call(this, sql));
  };
  const { renameSync } = fs;
  fs.renameSync = (from, to) => {
    const disk = diskOf(String(to));
    if (disk === undefined) renameSync(from, to);
    else disk.rename(() => renameSync(from, to));
  };
  syncBuiltinESMExports();
}

/** Of a file that is put in its place by renaming: of signed checkpoints, or of a key. */
function diskOf(path: string): Disk | undefined {
  if (basename(path) === SIGNED_HEADS_FILE) return disks.get(folderOf(path));
  const [folder] = path.split(`/${KEYS_FOLDER}/`);
  return folder === undefined || folder === path ? undefined : disks.get(folder);
}

function guard<T>(db: Database.Database & Written, sql: string, run: () => T): T {
  const disk = db.readonly ? undefined : disks.get(folderOf(db.name));
  if (disk === undefined) return run();
  const isDurable = db.inTransaction ? sql === 'COMMIT' : !sql.startsWith('BEGIN');
  return disk.write(db, isDurable, run);
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/'));
}
