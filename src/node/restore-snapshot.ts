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
import { ANCHORS, HEADS } from '../snapshot/files.ts';
import { applyRestore, assertEmpty, type KnownHead, type RestorePlan, rehearse } from '../snapshot/restore.ts';
import type { SnapshotReport } from '../snapshot/verify.ts';
import { newestCheckpoint } from '../worm/place.ts';
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
  const { known, others } = await outsideOf(path, snapshot.origin, options);
  const newest = Math.max(journal.size, ...known.map(({ size }) => size));
  const peers = files.flatMap(({ path: name }) => /^peers\/(.+)\.toml$/.exec(name)?.[1] ?? []);
  const sizes = { entries: journal.size, auditRecords: audit.size, missing: newest - journal.size };
  return { ok: true, plan: { snapshot, ...sizes, known, peers, others, keys } };
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
  if (plan.peers.length + plan.others.length === 0 && plan.known.length === 0 && !isAlone) {
    const message =
      'nobody can say whether this snapshot is the newest history: no peer, no witness with a URL, no anchors, no WORM store, no newer file of signed heads. If the node has signed anything since, it would sign a second history. Name a newer file with --heads or --anchors; or add --alone if nothing was signed since';
    throw new SnapshotError('unconfirmed', message);
  }
  const claims = [ANCHORS, ...(options.anchors === null ? [] : [options.anchors])];
  const anchors = await Promise.all(
    claims.map((file) => localClaims(file === ANCHORS ? join(path, ANCHORS) : file, plan.snapshot.origin)),
  );
  // What was anchored beyond the snapshot is what the guard is for; a contradiction is for the check to find.
  const within = anchors.flat().filter(({ note }) => note !== null && sizeOf(note) <= plan.entries);
  const report = await applyRestore(path, plan.snapshot, folder, {
    keys,
    scratch: folder,
    anchors: within,
    liveJournal: null,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  if (report.ok) rememberNewest(folder, plan);
  return report;
}

/** What is known to have been signed since holds the node at its first start, whether anybody can be asked then or not. */
function rememberNewest(folder: string, { entries, known }: RestorePlan): void {
  const [newest] = [...known].sort((a, b) => b.size - a.size);
  if (newest === undefined || newest.size <= entries) return;
  const { size, root, note } = newest;
  SignedHeadFile.open(join(folder, HEADS)).set('journal', { size, root, note });
}

async function outsideOf(
  path: string,
  origin: string,
  options: RestoreOptions,
): Promise<{ readonly known: readonly KnownHead[]; readonly others: readonly string[] }> {
  const known: KnownHead[] = [];
  const others: string[] = [];
  const note = (source: string, text: string | null): void => {
    const head = text === null ? null : ownHead(text, origin, options.keys);
    if (head !== null) known.push({ source, ...head });
  };
  const config = loadConfig(path, process.env, NO_FLAGS);
  const heads = options.heads ?? (config.ok && isElsewhere(config.value.guard.signedHeadsFile, path));
  if (typeof heads === 'string') note(heads, headIn(heads));
  for (const file of [options.anchors, config.ok && isElsewhere(config.value.anchor.localPath, path)])
    if (typeof file === 'string') for (const text of (await localNotes(file, origin)).slice(0, 1)) note(file, text);
  if (!config.ok) return { known, others };
  for (const witness of config.value.witness.policy?.witnesses ?? [])
    if (witness.url !== null) others.push(`witness ${witness.name}`);
  const { worm, network } = config.value;
  if (worm !== null) {
    const store = openWormStore(worm.place, createHttpClient(network.allowed));
    others.push(`WORM store ${wormTarget(worm.place)}`);
    note(wormTarget(worm.place), await newestCheckpoint(store, options.keys, origin));
  }
  return { known, others };
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
