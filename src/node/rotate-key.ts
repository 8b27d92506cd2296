/** Changes one of this node's signing keys: a new key, a statement that both sign, and the new one in the old one's place. */
import { dataPaths, keyFile } from '../config/data-dir.ts';
import { nextKeyFile } from '../config/key-files.ts';
import { credentialFor, randomSeed, type SeedUse, writeSeedFile } from '../config/secret-file.ts';
import { isoMicros } from '../core/time.ts';
import { openStatements } from '../verify/key-chain.ts';
import { type OpenedSuccession, signSuccession } from '../wire/succession.ts';
import { type Base, openBase, StartError } from './base.ts';
import { openOwnKeys, statementSigner, vkeyOf } from './own-keys.ts';

export interface Rotation {
  /** How long the old key goes on: it signs beside the new one; for the node key, how long before the new one takes over. */
  readonly overlapMs: number;
  /** Who changes it, for the audit record. */
  readonly actor: string;
}

export type RotationOutcome =
  | { readonly kind: 'changed' | 'announced'; readonly statement: OpenedSuccession }
  /** An earlier change of that key has not taken effect yet. */
  | { readonly kind: 'pending'; readonly statement: OpenedSuccession };

export type ChangeBase = Pick<Base, 'identity' | 'paths' | 'keys' | 'statements' | 'nowMs'> & {
  readonly writer: Pick<Base['writer'], 'changeKey'>;
};

/**
 * Rotates a key of a data folder that no daemon works on.
 *
 * The next key is written first, then statement, fact and audit record in one transaction, and only then does the key become
 * the key: whatever a crash leaves, the next start goes on from it or drops what nobody was told of.
 *
 * @throws StartError, JournalError `locked`
 */
export async function rotateKey(dir: string, use: SeedUse, { overlapMs, actor }: Rotation): Promise<RotationOutcome> {
  await using owned = new AsyncDisposableStack();
  refuseCredential(dir, use);
  return await changeKey(await openBase(dir, {}, owned), use, { overlapMs, actor });
}

/** @param base an opened data folder, with the node's clock */
export async function changeKey(
  { identity, paths, keys, statements, writer, nowMs: clock }: ChangeBase,
  use: SeedUse,
  { overlapMs, actor }: Rotation,
): Promise<RotationOutcome> {
  const { seed, vkey, next } = keys[use];
  if (next !== null) return { kind: 'pending', statement: next };

  const nowMs = clock();
  const newSeed = randomSeed(use);
  const overIso = isoMicros((nowMs + overlapMs) * 1000);
  const succession = {
    effective_at: use === 'node' ? overIso : isoMicros(nowMs * 1000),
    new: vkeyOf(use, newSeed, identity),
    old: vkey,
    overlap_until: overIso,
    use,
  };
  const signers = { old: statementSigner(use, seed, identity), new: statementSigner(use, newSeed, identity) };
  const note = signSuccession(identity.nodeId, succession, signers);
  const [statement] = openStatements([note], identity.nodeId);
  if (statement === undefined) throw new TypeError('a statement that was just signed verifies');

  writeSeedFile(nextKeyFile(paths, use), use, newSeed);
  // If this fails it is not known whether it was written: the next start keeps the key or drops it, as the journal says.
  await writer.changeKey(note, actor);
  const settled = openOwnKeys(paths, identity, [...statements, statement], nowMs);
  if (!settled.ok) throw new Error(settled.error.message);
  return { kind: settled.value[use].vkey === statement.new ? 'changed' : 'announced', statement };
}

/** What the service manager holds it hands over anew at each start: a change of it here would be undone. */
function refuseCredential(dir: string, use: SeedUse): void {
  const path = keyFile(dataPaths(dir), use);
  const credential = credentialFor(path);
  if (credential === null) return;
  const message = `the ${use} key is the credential ${credential}, which this program cannot change`;
  const fix = `Put it into ${path}, rotate without credentials, then hand over the new one.`;
  throw new StartError([{ where: credential, key: null, message, fix }]);
}
