/** Collects cosignatures on our own newest checkpoint: from peers over libp2p, from other witnesses of our policy over HTTP. */
import type { PeerFile } from '../config/peer-file.ts';
import { openFeeds } from '../core/disclosure.ts';
import { witnessName } from '../core/node-id.ts';
import { encodeBase64 } from '../merkle/base64.ts';
import type { AddCheckpoint } from '../merkle/witness-body.ts';
import { askWitness } from './ask-peer.ts';
import type { WitnessDeps } from './deps.ts';
import type { KnownLogs } from './known-logs.ts';
import type { TrustedWitness } from './own-heads.ts';
import { type SubmitOutcome, submitCheckpoint } from './submit-http.ts';

/** How long a witness may put us off, and how often it may make us ask. */
const MAX_WAIT_MS = 60_000;
const MIN_WAIT_MS = 1_000;

/** A witness that can be asked, whichever way. */
interface Reachable {
  /** Name of its key. */
  readonly name: string;
  /** What operators call it: the peer's file, or its name in the policy. */
  readonly label: string;
  readonly trusted: () => Promise<readonly TrustedWitness[]>;
  readonly ask: (request: AddCheckpoint) => Promise<SubmitOutcome>;
}

interface Head {
  readonly size: number;
  readonly checkpoint: string;
}

export class Collector {
  readonly #deps: WitnessDeps;
  readonly #known: KnownLogs;
  readonly #signal: AbortSignal;
  /** Size that each witness has cosigned last, by the name of its key. */
  readonly #cosigned = new Map<string, number>();
  /** Witnesses that have asked for time, until when. */
  readonly #busyUntil = new Map<string, number>();
  readonly #later: (ms: number) => void;
  #running: Promise<void> | undefined;
  #again = false;

  /** @param later collects again after so many ms: a witness has asked for that time */
  constructor(deps: WitnessDeps, known: KnownLogs, signal: AbortSignal, later: (ms: number) => void) {
    this.#later = later;
    this.#deps = deps;
    this.#known = known;
    this.#signal = signal;
  }

  /** Asks every witness that has not cosigned the newest checkpoint. Called while it runs, it runs once more. */
  collect(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#signal.aborted) {
      this.#again = false;
      await this.#askAll(this.#witnesses());
      this.#deps.report.collected();
    }
  }

  async #askAll(witnesses: readonly Reachable[]): Promise<void> {
    // A checkpoint costs three waits for the disk: while a pull goes on, none is signed that nobody is asked about.
    if (witnesses.length === 0) return;
    const head = await this.#deps.head();
    const due = witnesses.filter(({ name }) => this.#cosigned.get(name) !== head.size && !this.#isBusy(name));
    await Promise.all(due.map((witness) => this.#ask(witness, head)));
  }

  /** Who may know how large our log is: peers that may read something of it, and whom the policy names. */
  #witnesses(): readonly Reachable[] {
    const { policy, transport, rules, nowMs } = this.#deps;
    const named = new Map(policy?.witnesses.map((witness) => [witness.keyName, witness]));
    const peers = this.#deps.peers().filter((peer) => {
      const mayKnow = named.has(witnessName(peer.nodeId)) || openFeeds(peer, rules, nowMs()).size > 0;
      return mayKnow && transport.connected(peer.peerId);
    });
    const names = new Set(this.#deps.peers().map(({ nodeId }) => witnessName(nodeId)));
    const others = (policy?.witnesses ?? []).flatMap(({ keyName, name, publicKey, url }): Reachable[] => {
      if (url === null || names.has(keyName)) return [];
      const trusted = async (): Promise<readonly TrustedWitness[]> => [
        { name: keyName, key: publicKey, endsAtS: null },
      ];
      return [
        {
          name: keyName,
          label: name,
          trusted,
          ask: (request) => submitCheckpoint(this.#deps.http, url, request, this.#signal),
        },
      ];
    });
    return [...peers.map((peer) => this.#peer(peer)), ...others];
  }

  #peer(peer: PeerFile): Reachable {
    const name = witnessName(peer.nodeId);
    return {
      name,
      label: peer.name,
      trusted: async () => {
        await this.#known.meet(peer, this.#signal);
        const declared = await this.#known.witnessOf(peer);
        const named = this.#deps.policy?.witnesses.filter(({ keyName }) => keyName === name) ?? [];
        // Of the key that the peer declares itself, its declaration says how long it is good.
        const others = named.filter(
          ({ publicKey }) => declared === null || !Buffer.from(publicKey).equals(declared.key),
        );
        const trusted = others.map(({ publicKey }) => ({ name, key: publicKey, endsAtS: null }));
        return declared === null ? trusted : [declared, ...trusted];
      },
      ask: (request) => this.#askPeer(peer, request),
    };
  }

  async #askPeer(peer: PeerFile, { oldSize, path, checkpoint }: AddCheckpoint): Promise<SubmitOutcome> {
    const request = { checkpoint, kind: 'cosign', old: oldSize, proof: path.map(encodeBase64), v: 1 } as const;
    const answer = await askWitness(this.#deps.transport, peer.peerId, request, this.#signal);
    switch (answer?.kind) {
      case 'cosigned':
      case 'stale':
        return answer;
      case 'busy':
        return { kind: 'busy', retryAfterMs: answer.retry_after_ms };
      case 'refused':
        return { kind: 'failed', why: answer.code };
      default:
        return { kind: 'failed', why: 'unreachable' };
    }
  }

  /** A size that the witness does not have any more, or not yet, costs one more request. */
  async #ask(witness: Reachable, head: Head): Promise<void> {
    try {
      let old = Math.min(this.#cosigned.get(witness.name) ?? 0, head.size);
      let outcome = await this.#askFrom(witness, head, old);
      if (outcome.kind === 'stale' && outcome.size !== old && outcome.size <= head.size) {
        old = outcome.size;
        outcome = await this.#askFrom(witness, head, old);
      }
      this.#deps.report.answered(witness.label, await this.#take(witness, head, outcome));
    } catch (error) {
      if (this.#signal.aborted) return;
      this.#deps.logger.warn({ witness: witness.label, error: String(error) }, 'a witness could not be asked');
    }
  }

  /** What is appended meanwhile is cosigned with the rest. */
  #isBusy(name: string): boolean {
    const leftMs = (this.#busyUntil.get(name) ?? 0) - this.#deps.nowMs();
    // Longer than anybody is put off: the clock was put back.
    return leftMs > 0 && leftMs <= MAX_WAIT_MS;
  }

  #wait(name: string, ms: number): void {
    const waitMs = Math.max(MIN_WAIT_MS, Math.min(ms, MAX_WAIT_MS));
    this.#busyUntil.set(name, this.#deps.nowMs() + waitMs);
    this.#later(waitMs);
  }

  async #askFrom(witness: Reachable, head: Head, oldSize: number): Promise<SubmitOutcome> {
    const path = oldSize === 0 || oldSize === head.size ? [] : await this.#deps.consistency(oldSize, head.size);
    return witness.ask({ oldSize, path, checkpoint: head.checkpoint });
  }

  async #take(witness: Reachable, head: Head, outcome: SubmitOutcome): Promise<string> {
    if (outcome.kind === 'stale') {
      if (outcome.size <= (await this.#deps.head()).size) return 'stale';
      // It remembers more than we do: an old copy of the journal runs here, or a second node with our key.
      this.#deps.report.stands(witness, outcome.size);
      return 'ahead';
    }
    if (outcome.kind === 'failed') return outcome.why;
    if (outcome.kind === 'busy') {
      this.#wait(witness.name, outcome.retryAfterMs);
      return 'busy';
    }
    const good = await this.#deps.journal.collectCosignatures(head.size, outcome.lines, await witness.trusted());
    if (good > 0) {
      this.#cosigned.set(witness.name, head.size);
      this.#deps.report.stands(witness, null);
    }
    return good > 0 ? 'cosigned' : 'cosignature_invalid';
  }
}
