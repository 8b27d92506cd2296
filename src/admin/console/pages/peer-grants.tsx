/** What one partner may read of this node, what it was given, and why. */
import type { PeerStatus } from '../../../core/peer-status.ts';
import type { DisclosedAnswer, ExplanationAnswer, GrantPreviewAnswer } from '../../api/grants.ts';
import { type Answer, path } from '../ask.ts';
import type { Frame } from '../layout.tsx';
import { Ago, Body, Empty, Field, type Html, Pairs, Panel, Part, Pill, Short, Table } from '../parts.tsx';
import { count, instantText } from '../words.ts';

interface GrantsShown {
  readonly grants: Answer<GrantPreviewAnswer>;
  readonly peer: PeerStatus;
}

export function Grants({ grants, peer }: GrantsShown): Html {
  return (
    <Panel title="Grants" aside="what it may read of this node now">
      <Part
        answer={grants}
        show={({ open, shut, empty }) => (
          <Table
            label="Feeds"
            columns={[
              { name: 'Feed' },
              { name: 'Given' },
              { name: 'Entries', num: true },
              { name: 'Sent', num: true },
              { name: 'Receipts', num: true },
              { name: 'Why' },
            ]}
          >
            {[...open.map((feed) => ({ feed, isOpen: true })), ...shut.map((feed) => ({ feed, isOpen: false }))].map(
              ({ feed, isOpen }) => (
                <tr>
                  <th scope="row" class="wrap">
                    {feed.feed}
                  </th>
                  <td>
                    <Pill tone={isOpen ? 'good' : ''}>{isOpen ? 'open' : 'shut'}</Pill>
                  </td>
                  <td class="num">{count(feed.length)}</td>
                  <td class="num">{count(feed.given)}</td>
                  <td class="num">{count(feed.acknowledged)}</td>
                  <td>{feed.sentence}</td>
                </tr>
              ),
            )}
            {empty.map(({ sentence }) => (
              <tr>
                <td colspan={6} class="muted">
                  {sentence}
                </td>
              </tr>
            ))}
          </Table>
        )}
      />
      <div class="body">
        <Pairs
          pairs={[
            ['We take', peer.accept.join(', ') || 'nothing'],
            ['It speaks for', peer.namespaces.join(', ') || 'itself'],
          ]}
        />
      </div>
    </Panel>
  );
}

interface Explained {
  /** As somebody typed it. */
  readonly fact: string;
  /** Null: nothing was asked. */
  readonly explained: Answer<ExplanationAnswer> | null;
  readonly peer: PeerStatus;
}

export function Explain({ fact, explained, peer }: Explained): Html {
  return (
    <Panel title="Explain" aside="would it get this fact, and why">
      <Body>
        <div class="stack">
          <form method="get" action={path`/console/peers/${peer.name}`} class="filters">
            <Field label="Fact id or CID" grow>
              <input name="fact" value={fact} required autocomplete="off" spellcheck={false} data-filter="" />
            </Field>
            <button type="submit">Explain</button>
          </form>
          {explained === null ? null : (
            <Part
              answer={explained}
              show={({ sentence, code, feed, feed_seq, given, acknowledged }) => (
                <Pairs
                  pairs={[
                    ['Answer', <strong>{sentence}</strong>],
                    ['Rule', <code>{code}</code>],
                    ['Place', feed === null ? '–' : `${feed}, entry ${count(feed_seq)}`],
                    [
                      'Sent',
                      given.length === 0 ? 'never' : given.map(({ sent_at }) => instantText(sent_at)).join(', '),
                    ],
                    ['Receipt', acknowledged ? 'signed by the peer' : 'none'],
                  ]}
                />
              )}
            />
          )}
        </div>
      </Body>
    </Panel>
  );
}

interface LedgerShown {
  readonly disclosed: Answer<DisclosedAnswer>;
  readonly frame: Frame;
}

export function Ledger({ disclosed, frame }: LedgerShown): Html {
  return (
    <Panel title="Disclosure ledger" aside="what it ever received from us">
      <Part
        answer={disclosed}
        show={({ feeds }) =>
          feeds.length === 0 ? (
            <Empty>Nothing was ever sent to it.</Empty>
          ) : (
            <Table
              label="Ledger"
              columns={[
                { name: 'Feed' },
                { name: 'Entries', num: true },
                { name: 'From – to', num: true },
                { name: 'Last sent' },
                { name: 'Under grant' },
              ]}
            >
              {feeds.map((row) => (
                <tr>
                  <th scope="row" class="wrap">
                    {row.feed}
                  </th>
                  <td class="num">{count(row.entries)}</td>
                  <td class="num nowrap">
                    {count(row.first)} – {count(row.last)}
                  </td>
                  <td>
                    <Ago at={row.last_sent_at} nowMs={frame.nowMs} />
                  </td>
                  <td>
                    <span title={row.grant.text}>
                      <Short text={row.grant.hash} />
                    </span>
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      />
    </Panel>
  );
}
