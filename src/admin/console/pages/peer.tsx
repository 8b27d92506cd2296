import type { PeerStatus } from '../../../core/peer-status.ts';
import type { DisclosedAnswer, ExplanationAnswer, GrantPreviewAnswer } from '../../api/grants.ts';
import type { SigningKeysAnswer } from '../../api/signing-keys.ts';
import type { WitnessAnswer } from '../../api/witness.ts';
import { type Answer, path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { lagText, stateText, theyHold, toneOf } from '../mesh.tsx';
import {
  ActionForm,
  Ago,
  Body,
  Empty,
  Field,
  type Html,
  Pairs,
  Panel,
  Part,
  Pill,
  Reason,
  ReasonedStep,
  Sentence,
  Short,
  Table,
  Until,
} from '../parts.tsx';
import { count, dueText, instantText } from '../words.ts';
import { missing } from './missing.tsx';
import { skewText } from './overview.tsx';
import { tell } from './tell.ts';

const MAY_MANAGE = ['admin', 'admin:federation'] as const;

/** Adds the page of one partner. */
export function addPeer(desk: Desk): void {
  desk.show('/console/peers/:name', peerPage);
  desk.act('/console/peers/:name/resume', async (visit, form) => {
    const name = visit.param('name');
    const answer = await visit.frame.ask.post(path`/v1/federation/peers/${name}/resume`, {
      reason: form.text('reason'),
    });
    return tell(visit, answer, `${name} is asked again.`, path`/console/peers/${name}`);
  });
  desk.act('/console/peers/:name/trust-key', async (visit, form) => {
    const name = visit.param('name');
    const body = { keys: form.all('keys'), reason: form.text('reason') };
    const answer = await visit.frame.ask.post(path`/v1/federation/peers/${name}/trust-key`, body);
    return tell(visit, answer, `The new keys of ${name} are trusted.`, path`/console/peers/${name}`);
  });
  desk.act('/console/peers/:name/retry', async (visit, form) => {
    const name = visit.param('name');
    const answer = await visit.frame.ask.post(path`/v1/federation/peers/${name}/retry`, {
      reason: form.text('reason'),
    });
    return tell(visit, answer, `Refused facts of ${name} were judged again.`, path`/console/peers/${name}`);
  });
}

interface Seen {
  readonly frame: Frame;
  readonly peer: PeerStatus;
  readonly grants: Answer<GrantPreviewAnswer>;
  readonly disclosed: Answer<DisclosedAnswer>;
  readonly keys: Answer<SigningKeysAnswer>;
  readonly witness: Answer<WitnessAnswer>;
  readonly fact: string;
  readonly explained: Answer<ExplanationAnswer> | null;
}

async function peerPage({ frame, param, query }: Visit): Promise<Shown> {
  const { ask } = frame;
  const name = param('name');
  const peer = await ask.get<PeerStatus>(path`/v1/federation/peers/${name}`);
  if (!peer.ok) return missing(frame, '/console/peers', peer);
  const fact = query('fact').trim();
  const [grants, disclosed, keys, witness, explained] = await Promise.all([
    ask.get<GrantPreviewAnswer>(path`/v1/federation/peers/${name}/grants`),
    ask.get<DisclosedAnswer>(path`/v1/federation/peers/${name}/disclosed?limit=1`),
    ask.get<SigningKeysAnswer>('/v1/keys'),
    ask.get<WitnessAnswer>('/v1/witness'),
    fact === '' ? null : ask.get<ExplanationAnswer>(path`/v1/federation/peers/${name}/explain?fact=${fact}`),
  ]);
  const seen: Seen = { frame, peer: peer.value, grants, disclosed, keys, witness, fact, explained };
  const html = (
    <Page
      frame={frame}
      at="/console/peers"
      crumb={['/console/peers', 'Peers']}
      title={peer.value.name}
      lede={<Sentence text={peer.value.waiting_on ?? `Nothing is waited for: ${lagText(peer.value)}.`} />}
      aside={<Pill tone={toneOf(peer.value)}>{stateText(peer.value)}</Pill>}
    >
      <div class="stack">
        <KeyChange {...seen} />
        <div class="grid">
          <div class="stack w7">
            <Grants {...seen} />
            <Explain {...seen} />
            <Ledger {...seen} />
          </div>
          <div class="stack w5">
            <State {...seen} />
            <Verdicts {...seen} />
            <PeerKeys {...seen} />
            <Actions {...seen} />
          </div>
        </div>
      </div>
    </Page>
  );
  return { html };
}

function State({ peer, frame, witness }: Seen): Html {
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

function Grants({ grants, peer }: Seen): Html {
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

function Explain({ fact, explained, peer }: Seen): Html {
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

function Ledger({ disclosed, frame }: Seen): Html {
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

function Verdicts({ peer, frame }: Seen): Html {
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

function PeerKeys({ keys, peer, frame }: Seen): Html {
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

function KeyChange({ peer, frame }: Seen): Html | null {
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

function Actions({ peer, frame }: Seen): Html | null {
  if (!frame.ask.mayAny(MAY_MANAGE)) return null;
  const { csrf } = frame.session;
  return (
    <Panel title="Act">
      <Body>
        <div class="stack">
          {peer.state === 'suspended' ? (
            <ReasonedStep
              action={path`/console/peers/${peer.name}/resume`}
              csrf={csrf}
              button="End the suspension"
              look="danger"
            />
          ) : null}
          <ActionForm action={path`/console/peers/${peer.name}/retry`} csrf={csrf}>
            <Reason />
            <div class="actions">
              <button type="submit">Judge refused facts again</button>
            </div>
          </ActionForm>
        </div>
      </Body>
    </Panel>
  );
}
