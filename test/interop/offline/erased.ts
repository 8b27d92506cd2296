/** Proofs that a fact was erased, true and with lies inside of the signed log; what ours makes of each. */
import { judgeErasureProof } from '../../../src/verify/erasure-verdict.ts';
import type { Random } from '../../adversarial/fuzz/random.ts';
import { bury } from '../../support/buried.ts';
import { buryWith, erasureProof, trustIn } from '../../support/erasure-proofs.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { vkeyOf } from '../../support/relay-log.ts';
import { jsonEdit } from '../mutations/json-edits.ts';
import type { Verdict } from './cases.ts';
import { edited } from './mutants.ts';

export interface ErasedCase {
  readonly case: object;
  readonly here: Verdict;
}

type Told = Parameters<typeof buryWith>[2];

const HASH = `sha256:${'ab'.repeat(32)}`;
/** Each told inside of the log: no proof with it stands. */
export const LIES: readonly Told[] = [
  { said: { leaf_index: 0 } },
  { said: { feed_seq: 9 } },
  { said: { leaf_hash: HASH } },
  { said: { leaf_index: 4 } },
  { draft: { source: 'stigmem://acme.example/agent/a1' } },
  { draft: { interpret_as: 'instruction' } },
  { draft: { valid_until: '2030-01-01' } },
  { draft: { confidence: 0.5 } },
  { draft: { derived_from: ['x'] } },
  { draft: { attestation: { key_id: 'k', signature: 's' } } },
  { draft: { value_type: 'string' } },
  { draft: { entity: 'stigmem://acme.example/tombstone/01' } },
  { draft: { scope: 'galaxy', feed: 'public' } },
  { lie: { bytes: (text) => `${text} ` } },
  { lie: { claim: { chain_hash: HASH } } },
];

export function erasedCases(random: Random, mutants: number): readonly ErasedCase[] {
  const lies = [null, ...LIES].map((told) => {
    const peer = new HonestPeer().appendMany(4);
    const [, erased] = peer.entries;
    if (erased === undefined) throw new TypeError('four entries');
    const tombstone = told === null ? bury(peer, erased) : buryWith(peer, erased, told);
    peer.append();
    return { peer, proof: erasureProof(peer, erased, tombstone) };
  });
  const [honest] = lies;
  if (honest === undefined) throw new TypeError('a true proof');
  const changed = Array.from({ length: mutants }, () => ({ ...honest, proof: mutated(honest.proof, random) }));
  return [...lies, ...changed].map(({ peer, proof }) => {
    const judged = judgeErasureProof(Buffer.from(proof), trustIn(peer));
    const trust = { logKeys: [vkeyOf(peer)] };
    return {
      case: { kind: 'erasure_proof', note: Buffer.from(proof).toString('base64'), trust },
      here: verdict(judged),
    };
  });
}

function verdict(judged: ReturnType<typeof judgeErasureProof>): Verdict {
  if (!judged.ok) return { ok: false, said: judged.error.code };
  const { said, feed } = judged.value;
  return { ok: true, said: [said.feed_seq, said.leaf_hash.slice('sha256:'.length), said.leaf_index, feed] };
}

function mutated(proof: string, random: Random): string {
  try {
    const deeper = (text: string, inner: Random): string =>
      text.startsWith('{') ? jsonEdit(text, text, inner, edited) : edited(text, inner);
    return jsonEdit(proof, proof, random, deeper);
  } catch {
    return edited(proof, random);
  }
}
