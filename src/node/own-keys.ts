/** The keys that this node signs with now: those of its folder, brought in line with the statements of its journal. */
import { existsSync, rmSync } from 'node:fs';
import { type DataPaths, keyFile } from '../config/data-dir.ts';
import { nextKeyFile, promoteNextKey, readFormerKeys, removeFormerKey } from '../config/key-files.ts';
import type { ConfigProblem } from '../config/problem.ts';
import { randomSeed, readSeedFile, type SeedUse, secretExists, writeSeedFile } from '../config/secret-file.ts';
import { witnessName } from '../core/node-id.ts';
import { err, ok, type Result } from '../core/result.ts';
import { parseIsoInstant } from '../core/time.ts';
import type { JournalIdentity } from '../journal/files.ts';
import { createAnchorSigner, signAnchor } from '../merkle/ecdsa.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { ALG_COSIGNATURE_V1, ALG_ECDSA, ALG_ED25519, signEd25519 } from '../merkle/note.ts';
import { formatVerifierKey, parseVerifierKey, verifierKeyId } from '../merkle/verifier-key.ts';
import { successorsOf } from '../verify/key-chain.ts';
import type { OpenedSuccession, StatementSigner } from '../wire/succession.ts';

export const KEY_USES: readonly SeedUse[] = ['node', 'log', 'witness', 'anchor'];
const MICROS_PER_MS = 1000n;

/** One use's keys. */
export interface OwnKey {
  readonly seed: Uint8Array;
  /** C2SP verifier key */
  readonly vkey: string;
  /** ISO time from which it signs. */
  readonly since: string;
  /** Keys before it whose overlap is not over, newest first. */
  readonly former: readonly FormerKey[];
  /** A statement that takes effect later: at a start after that the node changes over. */
  readonly next: OpenedSuccession | null;
}

export interface FormerKey {
  readonly seed: Uint8Array;
  readonly vkey: string;
  readonly since: string;
  readonly until: string;
}

export type OwnKeys = Readonly<Record<SeedUse, OwnKey>>;

/**
 * Reads the keys and carries out what a statement has said: a next key whose statement is in the journal becomes the key, one
 * without statement is dropped, a former key whose overlap is over is deleted. Carried out at each start, so that a crash
 * at any step of a change is made good.
 *
 * @param statements this node's own, from its journal
 */
export function openOwnKeys(
  paths: DataPaths,
  identity: JournalIdentity,
  statements: readonly OpenedSuccession[],
  nowMs: number,
): Result<OwnKeys, ConfigProblem> {
  const keys: Partial<Record<SeedUse, OwnKey>> = {};
  for (const use of KEY_USES) {
    const opened = openKey({ paths, identity, statements, nowMs, use });
    if (!opened.ok) return opened;
    keys[use] = opened.value;
  }
  return ok(keys as OwnKeys);
}

interface Opening {
  readonly paths: DataPaths;
  readonly identity: JournalIdentity;
  readonly statements: readonly OpenedSuccession[];
  readonly nowMs: number;
  readonly use: SeedUse;
}

function openKey(opening: Opening): Result<OwnKey, ConfigProblem> {
  const { paths, identity, statements, nowMs, use } = opening;
  const settled = settleNext(opening);
  if (!settled.ok) return settled;
  const path = keyFile(paths, use);
  // Folders made before there was such a key get one: nobody has been told of another.
  if (!secretExists(path) && (use === 'witness' || use === 'anchor')) writeSeedFile(path, use, randomSeed(use));
  const seed = readSeedFile(path, use);
  if (!seed.ok) return seed;
  const vkey = vkeyOf(use, seed.value, identity);
  const newer = successorsOf(statements, use, vkey, nowMs).at(-1);
  if (newer !== undefined) return err(superseded(path, vkey, newer));
  const former = formerKeys(opening);
  if (!former.ok) return former;
  const since = statements.findLast((one) => one.use === use && one.new === vkey)?.effective_at ?? identity.createdAt;
  const next = statements.find((one) => one.use === use && one.old === vkey) ?? null;
  return ok({ seed: seed.value, vkey, since, former: former.value, next });
}

/** What becomes of a next key that lies there. */
function settleNext({ paths, identity, statements, nowMs, use }: Opening): Result<void, ConfigProblem> {
  const file = nextKeyFile(paths, use);
  if (!existsSync(file)) return ok(undefined);
  const seed = readSeedFile(file, use);
  if (!seed.ok) return seed;
  const vkey = vkeyOf(use, seed.value, identity);
  const statement = statements.findLast((one) => one.use === use && one.new === vkey);
  if (statement === undefined) {
    // The change was given up, or cut off before anybody was told.
    rmSync(file);
    return ok(undefined);
  }
  if (isLater(statement.effective_at, nowMs)) return ok(undefined);
  const keepsSigning = use !== 'node' && isLater(statement.overlap_until, nowMs);
  try {
    promoteNextKey(paths, use, keepsSigning ? keyIdOf(statement.old) : null);
    return ok(undefined);
  } catch (error) {
    return err(notInPlace(file, use, error));
  }
}

/** With the key before it the node would sign what nobody believes. */
function notInPlace(file: string, use: SeedUse, error: unknown): ConfigProblem {
  const cause = error instanceof Error ? error.message : String(error);
  const message = `expected to put this key in the place of the ${use} key, which it follows from now on, got: ${cause}`;
  const fix = 'Make room on the disk, or let the daemon write to its keys folder, and start it again.';
  return { where: file, key: null, message, fix };
}

function formerKeys({ paths, identity, statements, nowMs, use }: Opening): Result<readonly FormerKey[], ConfigProblem> {
  const seeds = readFormerKeys(paths, use);
  if (!seeds.ok) return seeds;
  const former: FormerKey[] = [];
  for (const [id, seed] of seeds.value) {
    const vkey = vkeyOf(use, seed, identity);
    const statement = statements.findLast((one) => one.use === use && one.old === vkey);
    if (statement === undefined || !isLater(statement.overlap_until, nowMs)) {
      removeFormerKey(paths, use, id);
      continue;
    }
    const before = statements.findLast((one) => one.use === use && one.new === vkey);
    former.push({ seed, vkey, since: before?.effective_at ?? identity.createdAt, until: statement.overlap_until });
  }
  return ok(former.sort((a, b) => (a.since < b.since ? 1 : -1)));
}

/** The verifier key of a seed of this node. */
export function vkeyOf(use: SeedUse, seed: Uint8Array, identity: JournalIdentity): string {
  const { nodeId, journalOrigin } = identity;
  if (use === 'anchor') {
    const { name, publicKey } = createAnchorSigner(journalOrigin, seed);
    return formatVerifierKey({ name, algorithm: ALG_ECDSA, publicKey });
  }
  const name = nameOf(use, identity);
  const algorithm = use === 'witness' ? ALG_COSIGNATURE_V1 : ALG_ED25519;
  return formatVerifierKey({ name, algorithm, publicKey: createLogSigner(nodeId, seed).publicKey });
}

/** Signs statements with a key of this node. */
export function statementSigner(use: SeedUse, seed: Uint8Array, identity: JournalIdentity): StatementSigner {
  if (use === 'anchor') {
    const signer = createAnchorSigner(identity.journalOrigin, seed);
    return (text) => signAnchor(text, signer);
  }
  const signer = createLogSigner(nameOf(use, identity), seed);
  return (text) => signEd25519(text, signer);
}

function nameOf(use: Exclude<SeedUse, 'anchor'>, { nodeId, journalOrigin }: JournalIdentity): string {
  return use === 'log' ? journalOrigin : use === 'witness' ? witnessName(nodeId) : nodeId;
}

/** Eight hex digits. */
export function keyIdOf(vkey: string): string {
  const key = parseVerifierKey(vkey);
  return (key.ok ? verifierKeyId(key.value) : 0).toString(16).padStart(8, '0');
}

function isLater(time: string, nowMs: number): boolean {
  const instant = parseIsoInstant(time);
  return instant.ok && instant.value > BigInt(nowMs) * MICROS_PER_MS;
}

function superseded(path: string, vkey: string, { new: next }: OpenedSuccession): ConfigProblem {
  const fix = `Put the key ${keyIdOf(next)} back from the newest copy of the keys folder, as ${path}: what this one signs now, nobody believes.`;
  const message = `expected the key ${next}, which has taken the place of this one in the journal, got ${vkey}`;
  return { where: path, key: null, message, fix };
}
