/** Answers the witness protocol: cosignatures for a peer's own log, heads of logs that both know, contradictions to judge. */
import type { PeerFile } from '../config/peer-file.ts';
import { decodeBase64 } from '../merkle/base64.ts';
import {
  type CosignRequest,
  decodeWitnessRequest,
  type EvidenceRequest,
  encodeWitnessAnswer,
  type HeadsRequest,
  logToken,
  type WitnessAnswer,
} from '../wire/witness.ts';
import type { CosignService } from './cosign-service.ts';
import type { WitnessDeps } from './deps.ts';
import { type Gossip, originOf } from './gossip.ts';
import type { KnownLogs } from './known-logs.ts';

export interface AnswerDeps extends Pick<WitnessDeps, 'journal'> {
  readonly known: KnownLogs;
  readonly gossip: Gossip;
  readonly cosigning: CosignService;
}

/** One frame; none for what is no request. */
export async function* answerWitness(bytes: Uint8Array, peer: PeerFile, deps: AnswerDeps): AsyncGenerator<Uint8Array> {
  const request = decodeWitnessRequest(bytes);
  if (!request.ok) return;
  yield encodeWitnessAnswer(await answer(request.value, peer, deps));
}

function answer(
  request: CosignRequest | HeadsRequest | EvidenceRequest,
  peer: PeerFile,
  deps: AnswerDeps,
): Promise<WitnessAnswer> {
  switch (request.kind) {
    case 'cosign':
      return cosign(request, peer, deps);
    case 'heads':
      return exchange(request, peer, deps);
    case 'evidence':
      return judge(request, peer, deps);
  }
}

/** A peer's request is for its own log alone: nobody moves another's head forward here. */
async function cosign(request: CosignRequest, peer: PeerFile, deps: AnswerDeps): Promise<WitnessAnswer> {
  const path = request.proof.map((hash) => decodeBase64(hash) ?? new Uint8Array(0));
  const asked = { oldSize: request.old, path, checkpoint: request.checkpoint };
  const outcome = await deps.cosigning.cosign(asked, peer);
  switch (outcome.kind) {
    case 'cosigned':
      return { kind: 'cosigned', lines: outcome.lines, v: 1 };
    case 'stale':
      return { kind: 'stale', size: outcome.size, v: 1 };
    case 'busy':
      return { kind: 'busy', retry_after_ms: outcome.retryAfterMs, v: 1 };
    case 'contradiction':
      return { code: 'contradiction', kind: 'refused', v: 1 };
    case 'refused':
      return { code: outcome.code, kind: 'refused', v: 1 };
  }
}

/** Answers about those logs of which the peer names a hash, and takes what it shows. */
async function exchange({ logs, salt, heads }: HeadsRequest, peer: PeerFile, deps: AnswerDeps): Promise<WitnessAnswer> {
  const asked = new Set(logs);
  const known = asked.size === 0 ? [] : await deps.known.all();
  const told: string[] = [];
  for (const { log } of known) {
    if (!asked.has(logToken(salt, log.origin))) continue;
    const head = await deps.journal.headToShow(log);
    if (head !== null) told.push(head);
  }
  if (heads.length > 0) {
    await deps.gossip.take(heads, peer);
    deps.gossip.reconcileSoon();
  }
  return { heads: told, kind: 'heads', v: 1 };
}

async function judge({ notes, path }: EvidenceRequest, peer: PeerFile, deps: AnswerDeps): Promise<WitnessAnswer> {
  const known = await deps.known.byOrigin(originOf(notes[0] ?? ''));
  if (known === undefined) return { kind: 'judged', v: 1, verdict: 'unknown_log' };
  const hashes = path === null ? null : path.map((hash) => decodeBase64(hash) ?? new Uint8Array(0));
  const { kind, news } = await deps.journal.judgeHeads(known.log, notes, hashes, peer.nodeId);
  if (news !== null) deps.gossip.announceSoon(known.log, news, peer.nodeId);
  return { kind: 'judged', v: 1, verdict: kind === 'contradiction' ? 'contradiction' : 'no_proof' };
}
