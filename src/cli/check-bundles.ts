/** Looks at the proofs that came with facts: with the log's key from the data folder, not with what the answer says. */

import type { HeadAnswer } from '../admin/api/journal.ts';
import { dataPaths } from '../config/data-dir.ts';
import { readFormerKeys } from '../config/key-files.ts';
import { readSeedFile } from '../config/secret-file.ts';
import { cidOfText } from '../core/cid.ts';
import { decodeEntry } from '../core/entry.ts';
import { isJsonObject, type JsonObject, type JsonValue, jsonText } from '../core/json.ts';
import { firstOk } from '../core/result.ts';
import { openCheckpoint } from '../merkle/checkpoint.ts';
import { entryLeafHash } from '../merkle/commitment.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { checkInclusion } from '../merkle/inclusion.ts';
import { parseTlogProof } from '../merkle/tlog-proof.ts';
import { decodeFactBundle, type FactBundle } from '../wire/fact-bundle.ts';
import type { Api } from './api-client.ts';
import { expectOk } from './api-failure.ts';
import type { Context } from './cli.ts';
import { CliError } from './exit.ts';

/** Sent to have proofs with an answer. */
export const VERIFY_FULL: Readonly<Record<string, string>> = { 'stigmem-verify': 'full' };

/** What is known of the node's log before it answers. */
export interface LogIdentity {
  readonly origin: string;
  /** Raw Ed25519 keys: the one in use, and those before it that are in their overlap. */
  readonly keys: readonly [Uint8Array, ...Uint8Array[]];
}

/** The log of the data folder. @throws CliError without its key */
export async function logOf(context: Context, api: Api): Promise<LogIdentity> {
  const { origin } = JSON.parse(expectOk(await api.get('/v1/journal/head'))) as HeadAnswer;
  const paths = dataPaths(context.dir());
  const seed = readSeedFile(paths.logKey, 'log');
  if (!seed.ok) throw new CliError({ exit: 'unavailable', message: seed.error.message, fix: seed.error.fix });
  const former = readFormerKeys(paths, 'log');
  const keyOf = (bytes: Uint8Array): Uint8Array => createLogSigner(origin, bytes).publicKey;
  return { origin, keys: [keyOf(seed.value), ...(former.ok ? [...former.value.values()].map(keyOf) : [])] };
}

/**
 * Checks the bundle of each fact shown.
 *
 * @param bundles the answer's `bundles`, by fact id
 * @returns one sentence for people
 * @throws CliError `refused` for the first fact that is not proved
 */
export function checkBundles(facts: readonly JsonObject[], bundles: JsonValue | undefined, log: LogIdentity): string {
  const found = bundles !== undefined && isJsonObject(bundles) ? bundles : new Map<string, JsonValue>();
  let anchored = 0;
  for (const fact of facts) {
    const id = String(fact.get('id'));
    const text = found.get(id);
    const bundle = text === undefined ? undefined : decodeFactBundle(jsonText(text));
    if (bundle?.ok !== true) throw notProved(id, 'it came without a bundle that can be read');
    const fault = faultOf(bundle.value, fact, log);
    if (fault !== null) throw notProved(id, fault);
    if (bundle.value.anchors.length > 0) anchored++;
  }
  return `${facts.length} proved against checkpoints of ${log.origin}, ${anchored} of them anchored`;
}

function faultOf(bundle: FactBundle, fact: JsonObject, log: LogIdentity): string | null {
  const proof = parseTlogProof(bundle.proof);
  if (!proof.ok) return 'its proof cannot be read';
  const { index, path } = proof.value;
  const { origin, keys } = log;
  const checkpoint = firstOk(keys, (key) => openCheckpoint(proof.value.checkpoint, { origin, key }));
  if (!checkpoint.ok) return `its checkpoint is not signed by the log (${checkpoint.error})`;
  const leaf = entryLeafHash(Buffer.from(bundle.salt, 'base64'), bundle.entry);
  const { root, size } = checkpoint.value;
  if (checkInclusion(leaf, index, path, root, size) !== 'ok') return 'it is not in the tree that the log has signed';
  const entry = decodeEntry(Buffer.from(bundle.entry));
  if (!entry.ok) return 'its entry cannot be read';
  const { cid, confidence, fact_id } = entry.value;
  if (cidOfText(confidence, entry.value) !== cid) return 'its CID is not that of its content';
  return fact_id === fact.get('id') && cid === fact.get('cid') ? null : 'the proof is of another fact';
}

function notProved(id: string, why: string): CliError {
  return new CliError({
    exit: 'refused',
    message: `fact ${id} is not proved: ${why}`,
    fix: 'Do not use it. Run `stigmem-peerd fsck` on the node that answered.',
  });
}
