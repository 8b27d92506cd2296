import { KEY_ROLES } from '../../../core/permissions.ts';
import type { BackupsAnswer } from '../../api/backups.ts';
import type { KeyAnswer } from '../../api/key-routes.ts';
import type { ReadinessAnswer, WellKnown } from '../../api/node.ts';
import type { SigningKeysAnswer } from '../../api/signing-keys.ts';
import type { SinksAnswer } from '../../api/sinks.ts';
import type { Proposals } from '../answers.ts';
import { path } from '../ask.ts';
import { type Desk, ownPath, type Shown, type Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import {
  ActionForm,
  Ago,
  Body,
  Code,
  Empty,
  Field,
  type Html,
  Pairs,
  Panel,
  Part,
  Pill,
  Select,
  Table,
  Until,
} from '../parts.tsx';
import { whoPairs } from '../who.tsx';
import { instantText } from '../words.ts';
import { Approvals } from './approvals.tsx';
import { addSinkTest, Copies, SEES_COPIES } from './copies.tsx';
import { SettingsTabs } from './settings-tabs.tsx';
import { tell } from './tell.ts';

const HERE = '/console/settings';
const DEFAULT_DAYS = '90';

/** Adds the page of keys, checks and rules, and what can be changed there. */
export function addSettings(desk: Desk): void {
  desk.show(HERE, (visit) => settingsPage(visit, null));
  addSinkTest(desk);
  desk.act('/console/keys/create', async (visit, form) => {
    const body = { name: form.text('name').trim(), role: form.text('role'), days: Number(form.text('days')) };
    const made = await visit.frame.ask.post<{ name: string; secret: string }>('/v1/admin/keys', body);
    // Shown on the answer to the form alone: the secret is kept nowhere.
    return made.ok ? settingsPage(visit, made.value) : tell(visit, made, '', HERE);
  });
  desk.act('/console/keys/:id/revoke', async (visit) => {
    const answer = await visit.frame.ask.delete(path`/v1/admin/keys/${visit.param('id')}`);
    return tell(visit, answer, 'The key is revoked, and whoever was signed in with it is out.', HERE);
  });
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

async function settingsPage(
  { frame }: Visit,
  made: { readonly name: string; readonly secret: string } | null,
): Promise<Shown> {
  const { ask } = frame;
  const seesCopies = ask.mayAny(SEES_COPIES);
  const [ready, node, signing, apiKeys, proposals, sinks, backups] = await Promise.all([
    ask.get<ReadinessAnswer>('/readyz'),
    ask.get<WellKnown>('/.well-known/stigmem'),
    ask.get<SigningKeysAnswer>('/v1/keys'),
    ask.may('admin') ? ask.get<{ keys: readonly KeyAnswer[] }>('/v1/admin/keys') : null,
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
            <Session frame={frame} />
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
      </div>
    </Page>
  );
  return { html };
}

function NewKey({ name, secret }: { name: string; secret: string }): Html {
  return (
    <Panel title={`Key ${name}`} aside="shown this once">
      <Body>
        <pre tabindex={0} aria-label="Secret of the new key">
          {secret}
        </pre>
      </Body>
    </Panel>
  );
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

function Session({ frame }: { frame: Frame }): Html {
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

const KEY_TONE = { active: 'good', expired: 'medium', revoked: '' } as const;

function ApiKeys({ keys, frame }: { keys: readonly KeyAnswer[]; frame: Frame }): Html {
  if (keys.length === 0) return <Empty>There are no API keys.</Empty>;
  return (
    <Table
      label="API keys"
      columns={[
        { name: 'Name' },
        { name: 'State' },
        { name: 'Class' },
        { name: 'May' },
        { name: 'Ends' },
        { name: 'Last used' },
        { name: 'Act' },
      ]}
    >
      {keys.map((key) => (
        <tr>
          <th scope="row" class="wrap">
            {key.name} <span class="muted">{key.id}</span>
          </th>
          <td>
            <Pill tone={KEY_TONE[key.state]}>{key.state}</Pill>
          </td>
          <td>{key.class}</td>
          <td class="wrap">{key.role ?? key.permissions.join(', ')}</td>
          <td title={key.expires_at === null ? '' : instantText(key.expires_at)}>
            <Until at={key.expires_at} nowMs={frame.nowMs} />
          </td>
          <td>
            <Ago at={key.last_used_at} nowMs={frame.nowMs} />
          </td>
          <td>
            {key.state === 'active' ? (
              <details>
                <summary aria-label={`Revoke ${key.name}`}>Revoke</summary>
                <ActionForm action={path`/console/keys/${key.id}/revoke`} csrf={frame.session.csrf} class="actions">
                  <button class="danger" type="submit">
                    Revoke {key.name} for good
                  </button>
                </ActionForm>
              </details>
            ) : (
              '–'
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}

function CreateKey({ csrf }: { csrf: string }): Html {
  return (
    <details class="more">
      <summary>Create a key</summary>
      <ActionForm action="/console/keys/create" csrf={csrf} class="filters">
        <Field label="Name" grow>
          <input
            name="name"
            required
            maxlength={64}
            pattern="[a-z0-9][a-z0-9._\-]*"
            autocomplete="off"
            spellcheck={false}
          />
        </Field>
        <Field label="Role">
          <Select name="role" value="reader" options={KEY_ROLES.map((role) => [role, role] as const)} />
        </Field>
        <Field label="Days">
          <input name="days" type="number" min={1} max={3650} value={DEFAULT_DAYS} required />
        </Field>
        <button class="main" type="submit">
          Create
        </button>
      </ActionForm>
    </details>
  );
}
