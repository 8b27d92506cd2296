/** Puts a snapshot into a new folder: what that would mean, and the deed. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { localNotes } from '../anchor/local-notes.ts';
import { loadConfig } from '../config/config.ts';
import type { ConfigFlags } from '../config/overlay.ts';
import { SignedHeadFile } from '../journal/signed-heads.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import { parseCheckpoint } from '../merkle/checkpoint.ts';
import { ed25519Verifier, parseNote, verifyNote } from '../merkle/note.ts';
import { createHttpClient } from '../outbound/http-client.ts';
import type { SnapshotProblem } from '../snapshot/check.ts';
import { SnapshotError } from '../snapshot/errors.ts';
import { ANCHORS, copyDurably, HEADS } from '../snapshot/files.ts';
import { applyRestore, assertEmpty, type KnownHead, type RestorePlan, rehearse } from '../snapshot/restore.ts';
import type { SnapshotReport } from '../snapshot/verify.ts';
import { newestCheckpoint } from '../worm/newest.ts';
import { localClaims } from './anchor-claims.ts';
import type { PhaseProgress } from './snapshots.ts';
import { openWormStore, wormTarget } from './worm-store.ts';

export interface RestoreOptions {
  /** Raw log keys that the snapshot may be signed with, the newest first. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
  readonly signal: AbortSignal;
  readonly onProgress?: PhaseProgress;
  /** A file of signed heads, or of anchors, that is newer than the snapshot. */
  readonly heads: string | null;
  readonly anchors: string | null;
}

export type Rehearsal =
  | { readonly ok: true; readonly plan: RestorePlan }
  | { readonly ok: false; readonly problems: readonly SnapshotProblem[] };

/** Checks signature and files, and asks whatever can be asked without a running node. Writes nothing. @throws SnapshotError */
export async function planRestore(path: string, folder: string, options: RestoreOptions): Promise<Rehearsal> {
  assertEmpty(folder);
  const { snapshot, problems } = await rehearse(path, options);
  if (snapshot === null || problems.length > 0) return { ok: false, problems };
  const { audit, files, journal, keys } = snapshot.manifest;
  const { known, mute, others } = await outsideOf(path, snapshot.origin, options);
  const newest = Math.max(journal.size, ...known.map(({ size }) => size));
  const peers = files.flatMap(({ path: name }) => /^peers\/(.+)\.toml$/.exec(name)?.[1] ?? []);
  const sizes = { entries: journal.size, auditRecords: audit.size, missing: newest - journal.size };
  return { ok: true, plan: { snapshot, ...sizes, known, peers, others, mute, keys } };
}

/**
 * Restores, checks the whole, and gives the folder its name.
 *
 * @param isAlone the operator says that nobody can be asked, and that nothing was signed since
 * @throws SnapshotError `unconfirmed`
 */
export async function restoreSnapshot(
  path: string,
  folder: string,
  plan: RestorePlan,
  options: RestoreOptions & { readonly isAlone: boolean },
): Promise<SnapshotReport> {
  const { isAlone, keys, signal, onProgress } = options;
  // Nothing that is as old as the snapshot says that nothing came after it.
  if (plan.peers.length + plan.others.length === 0 && plan.missing === 0 && !isAlone) throw unconfirmed(plan);
  const claims = [ANCHORS, ...(options.anchors === null ? [] : [options.anchors])];
  const anchors = await Promise.all(
    claims.map((file) => localClaims(file === ANCHORS ? join(path, ANCHORS) : file, plan.snapshot.origin)),
  );
  // What was anchored beyond the snapshot is what the guard is for; a contradiction is for the check to find.
  const within = anchors.flat().filter(({ note }) => note !== null && sizeOf(note) <= plan.entries);
  const verifying = {
    keys,
    scratch: folder,
    anchors: within,
    liveJournal: null,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  };
  return applyRestore(path, plan.snapshot, folder, verifying, (beside) => rememberNewest(beside, plan, keys));
}

function unconfirmed({ mute }: RestorePlan): SnapshotError {
  const silent = mute.length === 0 ? '' : ` (${mute.join('; ')})`;
  const message = `nobody can say whether this snapshot is the newest history: no peer, no witness with a URL, no newer anchors, no WORM store that can be read, no newer file of signed heads${silent}. If the node has signed anything since, it would sign a second history. Name a newer file with --heads or --anchors; or add --alone if nothing was signed since`;
  return new SnapshotError('unconfirmed', message);
}

/**
 * What is known to have been signed since holds the node at its first start, whether anybody can be asked then or not.
 *
 * @throws SnapshotError `unusable`: the node would not read it
 */
function rememberNewest(beside: string, { entries, known, snapshot }: RestorePlan, keys: readonly Uint8Array[]): void {
  const [newest] = [...known].sort((a, b) => b.size - a.size);
  if (newest === undefined || newest.size <= entries) return;
  const { size, root, note } = newest;
  const file = headsFileOf(beside);
  try {
    if (!existsSync(file)) copyDurably(join(beside, HEADS), file);
    const heads = SignedHeadFile.open(file);
    const last = heads.last('journal');
    if (last !== null && ownHead(last.note, snapshot.origin, keys) === null)
      throw new Error('it names a checkpoint of another log');
    if ((last?.size ?? 0) < size) heads.set('journal', { size, root, note });
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `${size} entries are known to have been signed, and that cannot be kept in ${file} (guard.signed_heads_file), where the node reads it: ${why}. Nothing was restored. Make that file writable, or move it away if it is of another node`;
    throw new SnapshotError('unusable', message, { cause });
  }
}

/** Where the restored node reads what it has signed. */
function headsFileOf(beside: string): string {
  const config = loadConfig(beside, process.env, NO_FLAGS);
  if (config.ok) return config.value.guard.signedHeadsFile;
  const [problem] = config.error.problems;
  const why = problem === undefined ? '' : ` (${problem.where}: ${problem.message})`;
  const message = `the configuration in the snapshot cannot be read${why}, so it is not known where the node looks for what was signed last (guard.signed_heads_file). Nothing was restored: restore with the environment that the node runs in`;
  throw new SnapshotError('unusable', message);
}

async function outsideOf(
  path: string,
  origin: string,
  options: RestoreOptions,
): Promise<Pick<RestorePlan, 'known' | 'mute' | 'others'>> {
  const known: KnownHead[] = [];
  const others: string[] = [];
  const mute: string[] = [];
  const note = (source: string, text: string | null): void => {
    const head = text === null ? null : ownHead(text, origin, options.keys);
    if (head !== null) known.push({ source, ...head });
  };
  const config = loadConfig(path, process.env, NO_FLAGS);
  const heads = options.heads ?? (config.ok && isElsewhere(config.value.guard.signedHeadsFile, path));
  if (typeof heads === 'string') note(heads, headIn(heads));
  for (const file of [options.anchors, config.ok && isElsewhere(config.value.anchor.localPath, path)])
    if (typeof file === 'string') for (const text of (await localNotes(file, origin)).slice(0, 1)) note(file, text);
  if (!config.ok) return { known, mute, others };
  for (const witness of config.value.witness.policy?.witnesses ?? [])
    if (witness.url !== null) others.push(`witness ${witness.name}`);
  const { worm, network } = config.value;
  if (worm !== null) {
    const store = openWormStore(worm.place, createHttpClient(network.allowed));
    const { keys, signal } = options;
    const newest = await newestCheckpoint(store, { keys, origin, atLeast: 0, nowMs: Date.now(), signal });
    for (const head of newest.kind === 'none' ? [] : newest.notes) note(wormTarget(worm.place), head);
    // What nobody can open may be a newer history.
    if (newest.kind === 'unreadable') mute.push(`WORM store: ${newest.detail}`);
    else others.push(`WORM store ${wormTarget(worm.place)}`);
  }
  return { known, mute, others };
}

const NO_FLAGS: ConfigFlags = {};

/** A file that the configuration keeps on another volume, and that is there. */
function isElsewhere(file: string, snapshot: string): string | null {
  return !file.startsWith(snapshot) && existsSync(file) ? file : null;
}

function headIn(file: string): string | null {
  readFileSync(file); // a name that was given has to be a file
  return SignedHeadFile.open(file).last('journal')?.note ?? null;
}

function sizeOf(note: string): number {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  return checkpoint.ok ? checkpoint.value.size : Number.POSITIVE_INFINITY;
}

/** A checkpoint of this very log; null: it is not signed by it. */
function ownHead(note: string, origin: string, keys: readonly Uint8Array[]): Omit<KnownHead, 'source'> | null {
  const parsed = parseNote(note);
  const checkpoint = parsed.ok ? parseCheckpoint(parsed.value.text) : parsed;
  if (!parsed.ok || !checkpoint.ok || checkpoint.value.origin !== origin) return null;
  const { size, root } = checkpoint.value;
  const isSigned = keys.some((key) => verifyNote(parsed.value, [ed25519Verifier(origin, key)]).ok);
  return isSigned ? { size, root: encodeBase64(root), note } : null;
}
