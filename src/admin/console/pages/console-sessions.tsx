/** Who is signed in to the console, and putting somebody out. */
import type { ConsoleSessionsAnswer } from '../../api/console-sessions.ts';
import { path } from '../ask.ts';
import type { Desk } from '../desk.ts';
import type { Frame } from '../layout.tsx';
import { ActionForm, Ago, type Html, Table, Until } from '../parts.tsx';
import { tell } from './tell.ts';

const METHODS = { api_key: 'API key', oidc: 'identity provider', link: 'link of the command line' } as const;

/** @param here the page with the list */
export function addSessionActions(desk: Desk, here: string): void {
  desk.act('/console/sessions/:id/end', async (visit) => {
    const answer = await visit.frame.ask.delete(path`/v1/admin/sessions/${visit.param('id')}`);
    return tell(visit, answer, 'The session is over.', here);
  });
}

interface SignedInProps {
  readonly sessions: ConsoleSessionsAnswer['sessions'];
  readonly frame: Frame;
}

export function SignedIn({ sessions, frame: { nowMs, session } }: SignedInProps): Html {
  return (
    <Table
      label="Who is signed in"
      columns={[
        { name: 'Who' },
        { name: 'Came with' },
        { name: 'From' },
        { name: 'Since' },
        { name: 'Last used' },
        { name: 'Ends' },
        { name: 'Act' },
      ]}
    >
      {sessions.map((one) => (
        <tr>
          <th scope="row" class="wrap">
            {one.name} <span class="muted">{one.id === session.id ? 'this session' : one.id}</span>
            {one.actor === one.name ? null : <div class="muted small">{one.actor}</div>}
          </th>
          <td>{METHODS[one.method]}</td>
          <td>{one.network}</td>
          <td>
            <Ago at={one.started_at} nowMs={nowMs} />
          </td>
          <td>
            <Ago at={one.used_at} nowMs={nowMs} />
          </td>
          <td>
            <Until at={one.ends_at} nowMs={nowMs} />
          </td>
          <td>
            {one.id === session.id ? (
              '–'
            ) : (
              <details>
                <summary aria-label={`End the session ${one.id} of ${one.name}`}>End</summary>
                <ActionForm action={path`/console/sessions/${one.id}/end`} csrf={session.csrf} class="actions">
                  <button class="danger" type="submit">
                    End the session of {one.name}
                  </button>
                </ActionForm>
              </details>
            )}
          </td>
        </tr>
      ))}
    </Table>
  );
}
