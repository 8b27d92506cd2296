/**
 * Where the peer of a drill is let in: in memory, one at a time, for as long as its drill runs. It is dialled, greeted and pulled by
 * the code and the transport of any partner; it may open nothing here, and is in no list of partners: it is no witness, relays
 * nothing, and nobody is told of it.
 */
import type { PeerFile } from '../config/peer-file.ts';
import type { DrillGround, Entered } from '../drill/peer-drill.ts';
import type { PullDeps } from '../pull/deps.ts';
import type { IngestOutcome } from '../pull/ingest.ts';
import { PeerSessions } from '../pull/peer-sessions.ts';
import type { AllowedPeer } from '../transport/peers.ts';

/** A protocol that nobody serves. */
const NOTHING = 'nothing';

type Admitted = PeerFile & Pick<AllowedPeer, 'only'>;

export interface OpenGround extends DrillGround {
  /** Who is let in now. */
  peers(): readonly Admitted[];
}

/** @param ready what pulling needs, once it is there */
export function openGround(
  ready: () => { readonly pulling: PullDeps; readonly refreshAllowed: () => void },
  observe: (peer: PeerFile, outcome: IngestOutcome) => void,
): OpenGround {
  let admitted: readonly Admitted[] = [];
  return {
    peers: () => admitted,
    enter(peer, onPage): Entered {
      const { pulling, refreshAllowed } = ready();
      admitted = [{ ...peer, only: NOTHING }];
      const sessions = new PeerSessions({
        ...pulling,
        onPage: (_nodeId, outcome) => {
          observe(peer, outcome);
          onPage(outcome);
        },
      });
      sessions.add(peer);
      return {
        lastError: () => sessions.get(peer.name)?.last_error ?? null,
        leave: async () => {
          await sessions.stop();
          admitted = [];
          refreshAllowed();
        },
      };
    },
  };
}
