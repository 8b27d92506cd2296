/** Keys of one partner: those that it has declared, and new ones that wait for somebody's word. */
import type { PeerStatus } from '../../../core/peer-status.ts';
import type { SigningKeysAnswer } from '../../api/signing-keys.ts';
import { type Answer, path } from '../ask.ts';
import type { Frame } from '../layout.tsx';
import { ActionForm, type Html, Pairs, Panel, Part, Pill, Reason, Short, Table, Until } from '../parts.tsx';

export const MAY_MANAGE = ['admin', 'admin:federation'] as const;

interface Shown {
  readonly frame: Frame;
  readonly peer: PeerStatus;
}

export function PeerKeys({ keys, peer, frame }: Shown & { readonly keys: Answer<SigningKeysAnswer> }): Html {
  return (
    <Panel title="Keys">
      <Part
        answer={keys}
        show={({ keys: all }) => (
          <Table
            label="Keys of the peer"
            columns={[{ name: 'Use' }, { name: 'Key' }, { name: 'State' }, { name: 'Ends' }]}
          >
            {all
              .filter(({ node_id }) => node_id === peer.node_id)
              .map((key) => (
                <tr>
                  <th scope="row">{key.use}</th>
                  <td>
                    <Short text={key.vkey} />
                  </td>
                  <td>
                    <Pill tone={key.state === 'valid' ? 'good' : key.state === 'replaced' ? '' : 'high'}>
                      {key.state.replace('_', ' ')}
                    </Pill>
                  </td>
                  <td>
                    <Until at={key.not_after} nowMs={frame.nowMs} />
                  </td>
                </tr>
              ))}
          </Table>
        )}
      />
      <div class="body">
        <Pairs pairs={[['Pinned log key', <Short text={peer.pinned_log_key ?? '–'} />]]} />
      </div>
    </Panel>
  );
}

export function KeyChange({ peer, frame }: Shown): Html | null {
  if (peer.key_changes.length === 0) return null;
  return (
    <Panel title="New keys wait for your word" aside="no succession signed by the old ones came with them">
      <Table label="New keys" columns={[{ name: 'Use' }, { name: 'Pinned' }, { name: 'Declared instead' }]}>
        {peer.key_changes.map(({ use, pinned, declared }) => (
          <tr>
            <th scope="row">{use}</th>
            <td>
              <code class="wrap">{pinned}</code>
            </td>
            <td>
              <code class="wrap">{declared}</code>
            </td>
          </tr>
        ))}
      </Table>
      {frame.ask.mayAny(MAY_MANAGE) ? (
        <div class="body">
          <ActionForm action={path`/console/peers/${peer.name}/trust-key`} csrf={frame.session.csrf} class="filters">
            {peer.key_changes.map(({ declared }) => (
              <input type="hidden" name="keys" value={declared} />
            ))}
            <Reason />
            <button class="danger" type="submit">
              Trust the new keys
            </button>
          </ActionForm>
        </div>
      ) : null}
    </Panel>
  );
}
