import type { PeerFile } from '../config/peer-file.ts';
import type { GardenMembers } from '../core/disclosure.ts';
import type { OnboardingCheck } from '../core/onboarding.ts';
import type { AuditInput } from '../journal/read-model.ts';
import type { LogSigner } from '../merkle/ed25519.ts';
import type { Logger } from '../observe/logger.ts';
import type { AllowedPeer } from '../transport/peers.ts';
import type { Transport } from '../transport/transport.ts';
import type { OpenedSuccession } from '../wire/succession.ts';

/** The journal as onboarding needs it. */
export interface OnboardJournal {
  audit(input: AuditInput): Promise<number>;
  /** Pins a declaration of a peer that has none yet; undefined when it has one. */
  pinIfNew(peer: string, note: string, input: AuditInput): Promise<number | undefined>;
  /** Of each node the declaration that is pinned; null for none. */
  declarations(nodeIds: readonly string[]): Promise<readonly (string | null)[]>;
  /** Of each node the statements that are kept. */
  successions(nodeIds: readonly string[]): Promise<readonly (readonly OpenedSuccession[])[]>;
}

/** This node as it shows itself to a future partner. */
export interface OnboardSelf {
  readonly nodeId: string;
  readonly authority: string;
  readonly peerId: string;
  /** Signs under the node id, with the libp2p identity key. */
  readonly signer: LogSigner;
  /** Signed note. */
  readonly declaration: string;
  readonly software: string;
  readonly protocols: readonly string[];
  /** Multiaddrs that a partner can dial, without our peer id. */
  addresses(): readonly string[];
}

export interface OnboardDeps {
  /** Folder of the records. */
  readonly folder: string;
  readonly self: OnboardSelf;
  readonly journal: OnboardJournal;
  /** Folder of the peer files. */
  readonly peersFolder: string;
  /** All peer files as they are now, also disabled ones. */
  readonly peers: () => readonly PeerFile[];
  /** Feeds of this node and how long they are. */
  readonly feeds: () => readonly { readonly feed: string; readonly length: number }[];
  /** Who may be granted gardens that are for some partners alone. */
  readonly gardens: GardenMembers;
  readonly maxFutureSkewMs: number;
  /** The certificate of this node's own API; null where it has none. */
  readonly tls: () => OnboardingCheck | null;
  /** Why an address that a partner names is not dialled; null: it is, unless it is a name that leads elsewhere. */
  readonly whyNotDialled: (address: string) => string | null;
  /** A second, passing identity that can dial one node. */
  readonly openGuest: (seed: Uint8Array, inviter: AllowedPeer) => Promise<Pick<Transport, 'request' | 'stop'>>;
  /** Peer id of a seed. */
  readonly peerIdOfSeed: (seed: Uint8Array) => Promise<string>;
  /** Some guest is one no more. */
  readonly onGuests: () => void;
  readonly nowMs: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
  readonly logger: Logger;
}
