import type { OnboardingView } from '../../../core/onboarding.ts';
import type { Onboarding, Peers } from '../answers.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { stateText, toneOf } from '../mesh.tsx';
import {
  ActionForm,
  Ago,
  Body,
  Empty,
  Field,
  type Html,
  Panel,
  Part,
  Pill,
  Sentence,
  Table,
  Until,
} from '../parts.tsx';
import { count } from '../words.ts';
import { tell } from './tell.ts';

const MAY_MANAGE = ['admin', 'admin:federation'] as const;
const WAITING = new Set(['open', 'pending', 'confirming']);

/** Adds the list of partners, and of those who want to become one. */
export function addPeers(desk: Desk): void {
  desk.show('/console/peers', (visit) => peersPage(visit, null));
  desk.act('/console/peers/invite', async (visit, form) => {
    const terms = {
      share: feedsIn(form.text('share')),
      accept: feedsIn(form.text('accept')),
      name: form.text('name').trim() || null,
    };
    const made = await visit.frame.ask.post<{ code: string }>('/v1/federation/invites', terms);
    // Shown on the answer to the form alone: the code is kept nowhere.
    if (made.ok) return peersPage(visit, made.value.code);
    return tell(visit, made, '', '/console/peers');
  });
  desk.act('/console/onboarding/:id/confirm', async (visit, form) => {
    const words = form.text('words').trim().toLowerCase().split(/\s+/);
    const answer = await visit.frame.ask.post(path`/v1/federation/onboarding/${visit.param('id')}/confirm`, { words });
    return tell(
      visit,
      answer,
      'The words are the same. What was granted flows once both sides have said yes.',
      '/console/peers',
    );
  });
  desk.act('/console/onboarding/:id/reject', async (visit) => {
    const answer = await visit.frame.ask.delete(path`/v1/federation/onboarding/${visit.param('id')}`);
    return tell(visit, answer, 'Rejected. Nothing flows.', '/console/peers');
  });
}

function feedsIn(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((feed) => feed !== '');
}

async function peersPage({ frame }: Visit, code: string | null): Promise<Shown> {
  const [peers, onboarding] = await Promise.all([
    frame.ask.get<Peers>('/v1/federation/peers'),
    frame.ask.get<Onboarding>('/v1/federation/onboarding'),
  ]);
  const waiting = onboarding.ok ? onboarding.value.onboarding.filter(({ state }) => WAITING.has(state)) : [];
  const html = (
    <Page
      frame={frame}
      at="/console/peers"
      title="Peers"
      lede="Partners of this node: what flows, what is held up, and why."
    >
      <div class="stack">
        {code === null ? null : <NewCode code={code} />}
        {waiting.map((view) => (
          <Partner view={view} frame={frame} />
        ))}
        <Panel title="Partners" live="peers">
          <Part
            answer={peers}
            show={({ peers: all }) =>
              all.length === 0 ? (
                <Empty>No partners yet.</Empty>
              ) : (
                <Table
                  label="Partners"
                  columns={[
                    { name: 'Peer' },
                    { name: 'State' },
                    { name: 'Behind', num: true },
                    { name: 'Accepted', num: true },
                    { name: 'Refused', num: true },
                    { name: 'We share' },
                    { name: 'We take' },
                    { name: 'Last contact' },
                  ]}
                >
                  {all.map((peer) => (
                    <tr data-row="">
                      <th scope="row">
                        <a href={path`/console/peers/${peer.name}`}>{peer.name}</a>
                        {peer.waiting_on === null ? null : (
                          <div class="muted small">
                            <Sentence text={peer.waiting_on} />
                          </div>
                        )}
                      </th>
                      <td>
                        <Pill tone={toneOf(peer)}>{stateText(peer)}</Pill>
                      </td>
                      <td class="num">{peer.lag_entries === null ? '–' : count(peer.lag_entries)}</td>
                      <td class="num">{count(peer.accepted)}</td>
                      <td class={`num ${peer.refused > 0 ? 'high' : ''}`}>{count(peer.refused)}</td>
                      <td class="wrap">{peer.share.join(', ') || '–'}</td>
                      <td class="wrap">{peer.accept.join(', ') || '–'}</td>
                      <td>
                        <Ago at={peer.last_contact_at} nowMs={frame.nowMs} />
                      </td>
                    </tr>
                  ))}
                </Table>
              )
            }
          />
        </Panel>
        {frame.ask.mayAny(MAY_MANAGE) ? <Invite csrf={frame.session.csrf} /> : null}
      </div>
    </Page>
  );
  return { html };
}

function NewCode({ code }: { code: string }): Html {
  return (
    <Panel title="Code for the partner" aside="shown this once">
      <Body>
        <div class="stack">
          <pre tabindex={0} aria-label="Code">
            {code}
          </pre>
          <p class="muted small">
            Send it over a channel that you trust; it is good for one hour and for one partner. When the partner has
            joined, it appears here, with twelve words that both screens have to show.
          </p>
        </div>
      </Body>
    </Panel>
  );
}

function Partner({ view, frame }: { view: OnboardingView; frame: Frame }): Html {
  const { partner } = view;
  const isAsked = partner !== null && view.state === 'pending' && frame.ask.mayAny(MAY_MANAGE);
  return (
    <Panel
      title={partner === null ? 'Invitation that nobody has used' : `${partner.node_id} wants to become a partner`}
      aside={view.state}
    >
      <Body>
        <div class="stack">
          <p class="small">
            We share {view.share.join(', ') || 'nothing'}, we take {view.accept.join(', ') || 'nothing'}. The code ends{' '}
            <Until at={view.expires_at} nowMs={frame.nowMs} />.
          </p>
          {partner === null ? null : (
            <>
              <ol class="words" aria-label="Words that both screens show">
                {partner.words.map((word) => (
                  <li>{word}</li>
                ))}
              </ol>
              <Table label="What was looked at" columns={[{ name: 'Check' }, { name: 'Result' }, { name: 'Detail' }]}>
                {partner.checks.map((check) => (
                  <tr>
                    <th scope="row">{check.name}</th>
                    <td>
                      <Pill tone={check.ok ? 'good' : 'high'}>{check.ok ? 'passes' : 'fails'}</Pill>
                    </td>
                    <td class="wrap">
                      {check.detail}
                      {check.fix === null ? null : <div class="muted small">{check.fix}</div>}
                    </td>
                  </tr>
                ))}
              </Table>
            </>
          )}
          {isAsked ? (
            <ActionForm action={path`/console/onboarding/${view.id}/confirm`} csrf={frame.session.csrf}>
              <Field label="The words as the partner reads them to you, over the telephone">
                <textarea name="words" required autocomplete="off" spellcheck={false} />
              </Field>
              <div class="actions">
                <button class="main" type="submit">
                  Confirm
                </button>
                <button
                  class="danger"
                  type="submit"
                  formaction={path`/console/onboarding/${view.id}/reject`}
                  formnovalidate
                >
                  Reject
                </button>
              </div>
            </ActionForm>
          ) : null}
        </div>
      </Body>
    </Panel>
  );
}

function Invite({ csrf }: { csrf: string }): Html {
  return (
    <Panel title="Invite a partner">
      <Body>
        <ActionForm action="/console/peers/invite" csrf={csrf}>
          <div class="form two">
            <Field label="Feeds that it may read">
              <input name="share" placeholder="public, company/incident-42" autocomplete="off" />
            </Field>
            <Field label="Feeds of it that we take">
              <input name="accept" placeholder="public" autocomplete="off" />
            </Field>
            <Field label="What we call it">
              <input name="name" maxlength={63} placeholder="after its node id" autocomplete="off" />
            </Field>
          </div>
          <div class="actions">
            <button type="submit">Make a code</button>
          </div>
        </ActionForm>
      </Body>
    </Panel>
  );
}
