/** What the doctor looks at: gathered once, then judged by rules that do nothing else. */

import type { AnchorBackendAnswer } from '../../admin/api/anchors.ts';
import type { KeyAnswer } from '../../admin/api/key-routes.ts';
import type { ReadinessAnswer, WellKnown } from '../../admin/api/node.ts';
import type { WitnessAnswer } from '../../admin/api/witness.ts';
import type { NodeStats } from '../../admin/node-status.ts';
import type { SignInStatus } from '../../admin/sign-in-status.ts';
import type { Config } from '../../config/config.ts';
import type { PeerFile } from '../../config/peer-file.ts';
import type { ConfigProblem } from '../../config/problem.ts';
import type { JournalCheck } from '../../core/journal-check.ts';
import type { KeyStatus } from '../../core/key-status.ts';
import type { PeerStatus } from '../../core/peer-status.ts';
import type { Weakening } from '../../core/weakening.ts';

/** What only the running daemon's process says; null members: this system does not tell. */
export interface ProcessFacts {
  readonly pid: number;
  readonly uid: number | null;
  readonly hasNoNewPrivileges: boolean | null;
  readonly hasSeccomp: boolean | null;
  /** Hexadecimal mask of effective capabilities. */
  readonly capabilities: string | null;
  readonly openFiles: number | null;
}

/** What the node says of itself, running or not. */
export interface NodeFacts {
  readonly wellKnown: WellKnown;
  readonly readiness: ReadinessAnswer;
  readonly keys: readonly KeyStatus[];
  readonly apiKeys: readonly KeyAnswer[];
  readonly peers: readonly PeerStatus[];
  readonly anchors: readonly AnchorBackendAnswer[];
  /** Null while the node does not run. */
  readonly witness: WitnessAnswer | null;
  readonly stats: NodeStats;
  readonly weakenings: readonly Weakening[];
  readonly quarantined: number;
  readonly proposals: number;
  readonly recall: RecallFacts;
  /** Null: people sign in with API keys alone. */
  readonly signIn: SignInStatus | null;
  readonly sinks: readonly SinkFacts[];
  readonly backups: BackupFacts;
  readonly drills: DrillFacts;
  readonly checks: CheckFacts;
  /** How many are in a state, by severity. */
  readonly cases: readonly {
    readonly state: string;
    readonly severity: string;
    readonly is_drill: boolean;
    readonly count: number;
  }[];
}

export interface DrillFacts {
  readonly kinds: readonly {
    readonly kind: string;
    readonly last_state: string | null;
    readonly last_passed_at: string | null;
  }[];
}

export interface SinkFacts {
  readonly name: string;
  readonly lag_seconds: number;
  readonly sentence: string;
}

/** Null members: not set up. */
export interface BackupFacts {
  readonly worm: {
    readonly lag_seconds: number;
    /** What the store does not promise; null: nothing. */
    readonly weakness: string | null;
    readonly last_error: string | null;
    readonly sentence: string;
  } | null;
  readonly snapshots: {
    readonly directory: string;
    readonly every_hours: number;
    /** Null: none that counts. */
    readonly verified_age_seconds: number | null;
  } | null;
}

/** Checks of everything that is stored. */
export interface CheckFacts {
  readonly last_clean_at: string | null;
  /** The newest first. */
  readonly checks: readonly Pick<JournalCheck, 'clean' | 'ended_at' | 'problems' | 'first_problems'>[];
}

/** What came of a recall with `Stigmem-Verify: full` and the verification of what it gave. */
export type RecallFacts =
  | { readonly kind: 'empty' }
  | { readonly kind: 'verified'; readonly sentence: string }
  /** `fix` null: there is an answer, and it does not verify. */
  | { readonly kind: 'failed'; readonly message: string; readonly fix: string | null };

export interface Facts {
  readonly dir: string;
  readonly nowMs: number;
  readonly program: { readonly version: string; readonly node: string; readonly needsNode: string };
  readonly configProblems: readonly ConfigProblem[];
  /** Null: it has problems. */
  readonly config: Config | null;
  readonly peerProblems: readonly ConfigProblem[];
  readonly peerFiles: readonly PeerFile[];
  readonly secretProblems: readonly ConfigProblem[];
  /** Permission bits of the data folder. */
  readonly folderMode: number;
  readonly createdMs: number | null;
  readonly disk: { readonly freeBytes: number; readonly usedBytes: number };
  /** Null: plain HTTP. */
  readonly certificate: { readonly notAfterMs: number } | { readonly fault: string } | null;
  readonly process: ProcessFacts | null;
  /** Null: the node could not be asked, and `nodeFault` says why. */
  readonly node: NodeFacts | null;
  readonly nodeFault: string | null;
}
