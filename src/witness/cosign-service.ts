/** Cosigns for whoever asks: a peer over libp2p, a log over HTTP. */
import type { PeerFile } from '../config/peer-file.ts';
import { type AddCheckpoint, parseAddCheckpoint } from '../merkle/witness-body.ts';
import type { CosignOutcome } from './cosigner.ts';
import type { WitnessDeps } from './deps.ts';
import { type Gossip, originOf } from './gossip.ts';
import type { KnownLog, KnownLogs } from './known-logs.ts';

export type ServiceOutcome = CosignOutcome | { readonly kind: 'refused'; readonly code: 'unknown_log' };

export class CosignService {
  readonly #deps: Pick<WitnessDeps, 'journal' | 'report'>;
  readonly #known: KnownLogs;
  readonly #gossip: Gossip;
  readonly #signal: AbortSignal;

  constructor(deps: Pick<WitnessDeps, 'journal' | 'report'>, known: KnownLogs, gossip: Gossip, signal: AbortSignal) {
    this.#deps = deps;
    this.#known = known;
    this.#gossip = gossip;
    this.#signal = signal;
  }

  /** The body of an add-checkpoint request. */
  async add(body: string): Promise<ServiceOutcome> {
    const request = parseAddCheckpoint(body);
    if (!request.ok) return this.#told({ kind: 'refused', code: 'bad_request' });
    return this.cosign(request.value, null);
  }

  /** @param from the peer that asks, whose own log it has to be; null: anybody, for any log that is known */
  async cosign(request: AddCheckpoint, from: PeerFile | null): Promise<ServiceOutcome> {
    if (from !== null) await this.#known.meet(from, this.#signal);
    const known = await this.#known.byOrigin(originOf(request.checkpoint));
    if (known === undefined || (from !== null && known.log.nodeId !== from.nodeId))
      return this.#told({ kind: 'refused', code: 'unknown_log' });
    return this.#told(await this.#cosign(request, known));
  }

  async #cosign(request: AddCheckpoint, known: KnownLog): Promise<CosignOutcome> {
    const { journal } = this.#deps;
    let outcome = await journal.cosign(request, known.log);
    if (outcome.kind === 'refused' && outcome.code === 'unreconciled') {
      await this.#gossip.reconcile(known);
      outcome = await journal.cosign(request, known.log);
    }
    if (outcome.kind === 'contradiction' && outcome.news !== null)
      this.#gossip.announceSoon(known.log, outcome.news, null);
    return outcome;
  }

  #told<T extends ServiceOutcome>(outcome: T): T {
    this.#deps.report.cosigned(outcome.kind === 'refused' ? outcome.code : outcome.kind);
    return outcome;
  }
}
