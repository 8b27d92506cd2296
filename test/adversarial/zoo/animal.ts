/** What an animal of the zoo is: one attack, the threats that it stands for, and what has to come of it. */

import type { Behaviour } from '../../../src/drill/hostile-peer.ts';
import type { DataFolder } from '../../support/data-folder.ts';
import type { PeerLine } from '../../support/node-process.ts';
import type { Victim } from './victim.ts';

interface Named {
  readonly name: string;
  /** Rows of docs/threat-model.md. */
  readonly threats: readonly number[];
  /** One sentence: what it does. */
  readonly does: string;
  /** One sentence: what has to come of it. */
  readonly verdict: string;
}

/** What was not as it should be; nothing: the verdict was reached. null: not yet, look again. */
export type Finding = readonly string[] | null;

/** Looks at the node for what it makes of a peer of this node id. */
export type Judge = (victim: Victim, nodeId: string) => Promise<Finding>;

/** A partner that the operator has let in. It answers, and what it does when it calls stands in its behaviour. */
export interface PeerAnimal extends Named {
  readonly kind: 'peer';
  readonly behaviour: (authority: string) => Behaviour;
  readonly grants: Pick<PeerLine, 'share' | 'accept' | 'witnesses' | 'anchors'>;
  /** Undefined: what its call saw is the verdict. */
  readonly judge?: Judge;
  /** It works as fast as it can, or waits for exact answers: it is let out alone. */
  readonly isHeavy: boolean;
  /** Another key than the one in the node's file. */
  readonly isImpostor: boolean;
  /** It calls over a connection of its own once the node has its declaration. */
  readonly isMetFirst: boolean;
}

/** Somebody on the network without a peer file. */
export interface OutsiderAnimal extends Named {
  readonly kind: 'outsider';
  readonly attack: (victim: Victim) => Promise<readonly string[]>;
  /** Whether it works as fast as it can. */
  readonly isHeavy: boolean;
}

/** Somebody who reaches the API, with the key that he was given or without one. */
export interface ClientAnimal extends Named {
  readonly kind: 'client';
  readonly attack: (victim: Victim) => Promise<readonly string[]>;
}

/** Somebody who can write the files of a node that does not run. It is given a copy. */
export interface InsiderAnimal extends Named {
  readonly kind: 'insider';
  readonly attack: (folder: Pick<DataFolder, 'dir'>) => Promise<readonly string[]>;
}

export type Animal = PeerAnimal | OutsiderAnimal | ClientAnimal | InsiderAnimal;
