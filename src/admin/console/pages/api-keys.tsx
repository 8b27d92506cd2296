/** API keys: what each may do, whose it is, a new one, and the end of one. */
import { KEY_ROLES } from '../../../core/permissions.ts';
import type { KeyAnswer } from '../../api/key-routes.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import type { Frame } from '../layout.tsx';
import { ActionForm, Ago, Body, Empty, Field, type Html, Panel, Pill, Select, Table, Until } from '../parts.tsx';
import { instantText } from '../words.ts';
import { tell } from './tell.ts';

const DEFAULT_DAYS = '90';

export interface MadeKey {
  readonly name: string;
  readonly secret: string;
}

/** @param here the page with the list; @param page the same with a key that was just made */
export function addKeyActions(desk: Desk, here: string, page: (visit: Visit, made: MadeKey) => Promise<Shown>): void {
  desk.act('/console/keys/create', async (visit, form) => {
    const person = form.text('person').trim();
    const body = {
      name: form.text('name').trim(),
      role: form.text('role'),
      days: Number(form.text('days')),
      ...(person === '' ? {} : { person }),
    };
    const made = await visit.frame.ask.post<MadeKey>('/v1/admin/keys', body);
    return made.ok ? page(visit, made.value) : tell(visit, made, '', here);
  });
  desk.act('/console/keys/:id/revoke', async (visit) => {
    const answer = await visit.frame.ask.delete(path`/v1/admin/keys/${visit.param('id')}`);
    return tell(visit, answer, 'The key is revoked, and whoever was signed in with it is out.', here);
  });
}

/** Shown on the answer to the form alone: the secret is kept nowhere. */
export function NewKey({ name, secret }: MadeKey): Html {
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

const KEY_TONE = { active: 'good', expired: 'medium', revoked: '' } as const;

export function ApiKeys({ keys, frame }: { keys: readonly KeyAnswer[]; frame: Frame }): Html {
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
            {key.person === null ? null : <div class="muted small">{key.person}</div>}
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

export function CreateKey({ csrf }: { csrf: string }): Html {
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
        <Field label="Person, if it is somebody’s: ISSUER#SUBJECT" grow>
          <input name="person" maxlength={450} autocomplete="off" spellcheck={false} />
        </Field>
        <button class="main" type="submit">
          Create
        </button>
      </ActionForm>
    </details>
  );
}
