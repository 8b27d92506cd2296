import type { PeerFile } from '../config/peer-file.ts';
import type { DisclosureRules } from '../core/disclosure.ts';
import type { PolicyState, WitnessState } from '../core/witness-report.ts';
import type { WitnessPolicy } from '../merkle/tlog-policy.ts';
import type { AddCheckpoint } from '../merkle/witness-body.ts';
import type { Logger } from '../observe/logger.ts';
import type { HttpClient } from '../outbound/http-client.ts';
import type { Transport } from '../transport/transport.ts';
import type { HeadPair } from '../verify/contradiction.ts';
import type { CosignOutcome, WitnessedLog } from './cosigner.ts';
import type { ServedHead, TrustedWitness } from './own-heads.ts';
import type { Contradiction, OpenPair, Resolved, Shown } from './seen-heads.ts';

/** The journal as the witness needs it; its thread checks, records and signs. */
export interface WitnessJournal {
  cosign(request: AddCheckpoint, log: WitnessedLog): Promise<CosignOutcome>;
  monitored(log: WitnessedLog): Promise<string | null>;
  showHead(log: WitnessedLog, note: string, seenFrom: string): Promise<Shown>;
  headToShow(log: WitnessedLog): Promise<string | null>;
  conviction(log: WitnessedLog): Promise<HeadPair | null>;
  openPairs(log: WitnessedLog): Promise<readonly OpenPair[]>;
  resolvePair(log: WitnessedLog, pair: OpenPair, path: readonly Uint8Array[] | null): Promise<Resolved>;
  judgeHeads(
    log: WitnessedLog,
    notes: readonly string[],
    path: readonly Uint8Array[] | null,
    seenFrom: string,
  ): Promise<Resolved>;
  collectCosignatures(size: number, lines: string, trusted: readonly TrustedWitness[]): Promise<number>;
  servedHead(knownSize: number): Promise<ServedHead>;
  policyState(): Promise<PolicyState | null>;
  witnessState(logs: readonly WitnessedLog[]): Promise<WitnessState>;
  declarations(peers: readonly string[]): Promise<readonly (string | null)[]>;
}

/** What the witness on the main thread needs of the rest of the node. */
export interface WitnessDeps {
  readonly journal: WitnessJournal;
  readonly transport: Pick<Transport, 'request' | 'connected'>;
  readonly http: HttpClient;
  readonly peers: () => readonly PeerFile[];
  readonly rules: DisclosureRules;
  /** Logs that are configured by key, beside those of peers. */
  readonly logs: readonly WitnessedLog[];
  /** The node's own policy; null: none. */
  readonly policy: WitnessPolicy | null;
  /** The newest signed checkpoint. */
  readonly head: () => Promise<{ readonly size: number; readonly checkpoint: string }>;
  readonly consistency: (from: number, to: number) => Promise<readonly Uint8Array[]>;
  /** Says hello to a peer, which pins its declaration. */
  readonly greet: (peer: PeerFile, signal: AbortSignal) => Promise<unknown>;
  readonly report: WitnessReport;
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Told what happened; peer names are those of peer files. */
export interface WitnessReport {
  /** Somebody's checkpoint was cosigned, or not, and why. */
  cosigned(outcome: string): void;
  /** A witness answered about a checkpoint of ours. */
  answered(witness: string, outcome: string): void;
  /**
   * A witness has cosigned our newest checkpoint (null), or says that it has cosigned a larger one, of which we know nothing.
   *
   * @param witness name of its key, and what operators call it
   */
  stands(witness: { readonly name: string; readonly label: string }, size: number | null): void;
  contradiction(log: WitnessedLog, found: Contradiction): void;
  /** A head could not be joined with what is verified of that log; once per head. */
  unreconciled(log: WitnessedLog, pair: OpenPair): void;
  gossiped(heads: number): void;
  /** Cosignatures on our newest checkpoint were collected, as far as they could be had. */
  collected(): void;
}
