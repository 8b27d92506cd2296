import type { BackupsAnswer } from '../../api/backups.ts';
import type { ConsoleSessionsAnswer } from '../../api/console-sessions.ts';
import type { KeyAnswer } from '../../api/key-routes.ts';
import type { ReadinessAnswer, WellKnown } from '../../api/node.ts';
import type { SigningKeysAnswer } from '../../api/signing-keys.ts';
import type { SinksAnswer } from '../../api/sinks.ts';
import type { Proposals } from '../answers.ts';
import { path } from '../ask.ts';
import { type Desk, ownPath, type Shown, type Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { Body, Code, type Html, Pairs, Panel, Part, Pill, Table, Until } from '../parts.tsx';
import { whoPairs } from '../who.tsx';
import { ApiKeys, addKeyActions, CreateKey, type MadeKey, NewKey } from './api-keys.tsx';
import { Approvals } from './approvals.tsx';
import { addSessionActions, SignedIn } from './console-sessions.tsx';
import { addSinkTest, Copies, SEES_COPIES } from './copies.tsx';
import { SettingsTabs } from './settings-tabs.tsx';
import { tell } from './tell.ts';

const HERE = '/console/settings';

/** Adds the page of keys, checks and rules, and what can be changed there. */
export function addSettings(desk: Desk): void {
  desk.show(HERE, (visit) => settingsPage(visit, null));
  addSinkTest(desk);
  addKeyActions(desk, HERE, settingsPage);
  addSessionActions(desk, HERE);
  for (const verb of ['approve', 'reject', 'withdraw'] as const)
    desk.act(`/console/approvals/:id/${verb}`, async (visit, form) => {
      const answer = await visit.frame.ask.post(path`/v1/approvals/${visit.param('id')}/` + verb, {
        reason: form.text('reason'),
      });
      return tell(
        visit,
        answer,
        `Proposal ${visit.param('id')}: ${DONE[verb]}.`,
        form.text('back') === '' ? HERE : ownPath(form.text('back')),
      );
    });
}

const DONE = { approve: 'approved, and done', reject: 'rejected', withdraw: 'withdrawn' } as const;

async function settingsPage({ frame }: Visit, made: MadeKey | null): Promise<Shown> {
  const { ask } = frame;
  const seesCopies = ask.mayAny(SEES_COPIES);
  const [ready, node, signing, apiKeys, signedIn, proposals, sinks, backups] = await Promise.all([
    ask.get<ReadinessAnswer>('/readyz'),
    ask.get<WellKnown>('/.well-known/stigmem'),
    ask.get<SigningKeysAnswer>('/v1/keys'),
    ask.may('admin') ? ask.get<{ keys: readonly KeyAnswer[] }>('/v1/admin/keys') : null,
    ask.may('admin') ? ask.get<ConsoleSessionsAnswer>('/v1/admin/sessions') : null,
    ask.mayAny(['audit.read', 'review']) ? ask.get<Proposals>('/v1/approvals?limit=50') : null,
    seesCopies ? ask.get<SinksAnswer>('/v1/sinks') : null,
    seesCopies ? ask.get<BackupsAnswer>('/v1/backups') : null,
  ]);
  const html = (
    <Page
      frame={frame}
      at={HERE}
      title="Keys & settings"
      lede="Who may do what, which keys sign, and whether everything works."
    >
      <div class="stack">
        <SettingsTabs frame={frame} at="keys" />
        {made === null ? null : <NewKey {...made} />}
        {proposals?.ok === true ? <Approvals proposals={proposals.value} frame={frame} /> : null}
        <div class="grid">
          <div class="stack w6">
            <Panel title="Checks" live="checks">
              <Part answer={ready} show={(one) => <Checks readiness={one} />} />
            </Panel>
            <OwnSession frame={frame} />
          </div>
          <div class="stack w6">
            <Panel title="This node">
              <Part answer={node} show={(one) => <Node node={one} />} />
            </Panel>
          </div>
        </div>
        {sinks === null || backups === null ? null : <Copies sinks={sinks} backups={backups} frame={frame} />}
        <Panel title="Signing keys" aside="of this node and of its partners">
          <Part answer={signing} show={({ keys }) => <Signing keys={keys} nowMs={frame.nowMs} />} />
        </Panel>
        {apiKeys === null ? null : (
          <Panel title="API keys">
            <Part answer={apiKeys} show={({ keys }) => <ApiKeys keys={keys} frame={frame} />} />
            <CreateKey csrf={frame.session.csrf} />
          </Panel>
        )}
        {signedIn === null ? null : (
          <Panel title="Who is signed in" aside="to this console">
            <Part answer={signedIn} show={({ sessions }) => <SignedIn sessions={sessions} frame={frame} />} />
          </Panel>
        )}
      </div>
    </Page>
  );
  return { html };
}

function Checks({ readiness }: { readiness: ReadinessAnswer }): Html {
  return (
    <Table label="Checks" columns={[{ name: 'Check' }, { name: 'Result' }, { name: 'Detail' }]}>
      {readiness.checks.map(({ name, ok, detail }) => (
        <tr>
          <th scope="row">{name}</th>
          <td>
            <Pill tone={ok ? 'good' : 'critical'}>{ok ? 'passes' : 'fails'}</Pill>
          </td>
          <td class="wrap">{detail}</td>
        </tr>
      ))}
    </Table>
  );
}

function OwnSession({ frame }: { frame: Frame }): Html {
  const { holder, endsMs } = frame.session;
  return (
    <Panel title="Your session">
      <Body>
        <Pairs
          pairs={[
            ...whoPairs(holder, frame.nowMs),
            ['Session ends', <Until at={new Date(endsMs).toISOString()} nowMs={frame.nowMs} />],
          ]}
        />
      </Body>
    </Panel>
  );
}

function Node({ node }: { node: WellKnown }): Html {
  return (
    <Body>
      <Pairs
        pairs={[
          ['Node', <Code>{node.node_id}</Code>],
          ['Authority', node.peerd.authority],
          ['Peer id', <Code>{node.peerd.peer_id}</Code>],
          ['Addresses', <Code>{node.peerd.addresses.join(', ') || '–'}</Code>],
          ['API', <Code>{node.node_url}</Code>],
          ['Version', node.peerd.software],
        ]}
      />
    </Body>
  );
}

function Signing({ keys, nowMs }: { keys: SigningKeysAnswer['keys']; nowMs: number }): Html {
  return (
    <Table
      label="Signing keys"
      columns={[
        { name: 'Whose' },
        { name: 'Use' },
        { name: 'Key' },
        { name: 'State' },
        { name: 'Ends' },
        { name: 'Days', num: true },
      ]}
    >
      {keys.map((key) => (
        <tr>
          <th scope="row" class="wrap">
            {key.peer ?? 'this node'}
          </th>
          <td>{key.use}</td>
          <td>
            <code class="nowrap" title={key.vkey}>
              {shortName(key.name)} <span class="muted">{key.key_id}</span>
            </code>
          </td>
          <td>
            <Pill
              tone={
                key.state === 'valid'
                  ? key.warning === null
                    ? 'good'
                    : 'medium'
                  : key.state === 'replaced'
                    ? ''
                    : 'high'
              }
            >
              {key.state.replace('_', ' ')}
            </Pill>
            {key.warning === null ? null : <div class="muted small">{key.warning.sentence}</div>}
          </td>
          <td>
            <Until at={key.not_after} nowMs={nowMs} />
          </td>
          <td class="num">{key.days_left ?? '–'}</td>
        </tr>
      ))}
    </Table>
  );
}

/** The name without what all names of one node begin and end with: which of its logs it is. */
function shortName(name: string): string {
  return /^[^/]+\/([^/]+)(?:\/|$)/.exec(name)?.[1] ?? name;
}
