/** How it goes with one partner: what it is doing, and what was refused of it last. */
import type { PeerStatus } from '../../../core/peer-status.ts';
import type { WitnessAnswer } from '../../api/witness.ts';
import { type Answer, path } from '../ask.ts';
import type { Frame } from '../layout.tsx';
import { lagText, theyHold } from '../mesh.tsx';
import { Ago, Body, Empty, type Html, Pairs, Panel, Sentence, Short, Table } from '../parts.tsx';
import { count, dueText, skewText } from '../words.ts';

interface Shown {
  readonly frame: Frame;
  readonly peer: PeerStatus;
}

export function State({ peer, frame, witness }: Shown & { readonly witness: Answer<WitnessAnswer> }): Html {
  const { nowMs } = frame;
  return (
    <Panel title="State" live="peer-state">
      <Body>
        <Pairs
          pairs={[
            ['Node', <code class="wrap">{peer.node_id}</code>],
            ['Peer id', <Short text={peer.peer_id} />],
            ['Addresses', peer.addresses.join(', ') || '–'],
            ['Circuit', peer.circuit_reason === null ? peer.circuit : `${peer.circuit}: ${peer.circuit_reason}`],
            ['Behind', lagText(peer)],
            ['We hold', peer.checkpoint === null ? 'no head of it' : `its head at ${count(peer.checkpoint.size)}`],
            ['It', theyHold(peer, witness.ok ? witness.value : null, nowMs)],
            ['Accepted', count(peer.accepted)],
            ['Refused', count(peer.refused)],
            ['Clock skew', skewText(peer.clock_skew_ms)],
            ['Last contact', <Ago at={peer.last_contact_at} nowMs={nowMs} />],
            [
              'Next attempt',
              peer.next_attempt_at === null || peer.state === 'suspended' ? '–' : dueText(peer.next_attempt_at, nowMs),
            ],
            ['Last error', peer.last_error === null ? '–' : <Sentence text={peer.last_error} />],
          ]}
        />
      </Body>
    </Panel>
  );
}

export function Verdicts({ peer, frame }: Shown): Html {
  const unresolved = peer.refused_of_ours.filter(({ refused, resolved }) => refused > resolved);
  return (
    <Panel
      title="Last verdicts"
      aside={<a href={path`/console/records?peer_id=${peer.node_id}`}>All records</a>}
      live="peer-verdicts"
    >
      {peer.last_verdicts.length === 0 ? (
        <Empty>Nothing of it was refused.</Empty>
      ) : (
        <Table label="Last verdicts" columns={[{ name: 'What' }, { name: 'When' }]}>
          {peer.last_verdicts.map(({ at, event, reason, seq }) => (
            <tr data-row="">
              <th scope="row">
                <a href={path`/console/records/${seq}`}>{(reason ?? event).replaceAll('_', ' ')}</a>
              </th>
              <td>
                <Ago at={at} nowMs={frame.nowMs} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {unresolved.length === 0 ? null : (
        <div class="body">
          <p class="small">
            It refuses of ours:{' '}
            {unresolved
              .map(({ feed, reason, refused, resolved }) => `${count(refused - resolved)} in ${feed} (${reason})`)
              .join('; ')}
            .
          </p>
        </div>
      )}
    </Panel>
  );
}
