/** One step for many cases: chosen, looked at, and then done to exactly what was looked at. */

import { CASE_MOVE_NAMES, type CaseMove } from '../../../core/case-state.ts';
import { plural } from '../../../core/plural.ts';
import type { BulkDone, BulkPreview } from '../answers.ts';
import { path } from '../ask.ts';
import type { Desk, Form, Shown, Visit } from '../desk.ts';
import { seeOther } from '../headers.ts';
import { Page } from '../layout.tsx';
import { ActionForm, Body, Empty, Field, type Html, Panel, Pill, Select, Table } from '../parts.tsx';

import { MOVE_WORD, Suppression, stepOf, Verdict, Why } from './case-form.tsx';
import { StatePill } from './case-words.tsx';
import { tell } from './tell.ts';

const MOVES = CASE_MOVE_NAMES.filter((move) => move !== 'ticket' && move !== 'note');
/** Fields that the second form has to repeat. */
const REPEATED = ['which', 'filter', 'move', 'why', 'verdict', 'assignee', 'owner', 'days', 'at'] as const;

export function addBulk(desk: Desk): void {
  desk.act('/console/cases/bulk', previewPage);
  desk.act('/console/cases/bulk/apply', async (visit, form) => {
    const order = orderOf(form, Number(form.text('at')));
    if (order === null) return seeOther('/console/cases');
    const answer = await visit.frame.ask.post<BulkDone>('/v1/cases/bulk', { ...order, token: form.text('token') });
    return tell(visit, { ...answer, status: 200 }, answer.ok ? doneText(answer.value) : '', '/console/cases');
  });
}

function doneText({ changed, proposed, refused }: BulkDone): string {
  const proposals = proposed.length === 0 ? '' : ` ${plural(proposed.length, 'case')} wait for a second person.`;
  const not = refused.length === 0 ? '' : ` ${plural(refused.length, 'case')} stayed as they were.`;
  return `${plural(changed.length, 'case')} changed.${proposals}${not}`;
}

/** Which cases: those that were chosen, or all that match the filter of the list. */
function orderOf(form: Form, nowMs: number): Readonly<Record<string, unknown>> | null {
  const move = MOVES.find((one) => one === form.text('move'));
  if (move === undefined) return null;
  const step = { move, ...stepOf(move, form, nowMs) };
  if (form.text('which') === 'all')
    return { filter: Object.fromEntries(new URLSearchParams(form.text('filter'))), ...step };
  const ids = form.all('ids').map(Number).filter(Number.isSafeInteger);
  return ids.length === 0 ? null : { ids, ...step };
}

async function previewPage(visit: Visit, form: Form): Promise<Shown | Response> {
  const { frame } = visit;
  const order = orderOf(form, frame.nowMs);
  if (order === null) {
    frame.session.tell({ kind: 'failed', text: 'Choose cases first, and what to do with them.' });
    return seeOther('/console/cases');
  }
  const preview = await frame.ask.post<BulkPreview>('/v1/cases/bulk', order);
  if (!preview.ok) return tell(visit, preview, '', '/console/cases');
  const move = form.text('move') as CaseMove;
  const fields: Readonly<Record<string, string>> = {
    ...Object.fromEntries(REPEATED.map((name) => [name, form.text(name)])),
    // The moment of the preview: a suppression ends at the same one in both forms.
    at: String(frame.nowMs),
  };
  const html = (
    <Page
      frame={frame}
      at="/console/cases"
      crumb={['/console/cases', 'Cases']}
      title={`${MOVE_WORD[move]}: ${plural(preview.value.would_change.length, 'case')}`}
    >
      <Panel title="What would change">
        <Preview preview={preview.value} />
        <Body>
          <ActionForm action="/console/cases/bulk/apply" csrf={frame.session.csrf} class="actions">
            {form.all('ids').map((id) => (
              <input type="hidden" name="ids" value={id} />
            ))}
            {Object.entries(fields).map(([name, value]) => (
              <input type="hidden" name={name} value={value} />
            ))}
            <input type="hidden" name="token" value={preview.value.token} />
            <button class="main" type="submit" disabled={preview.value.would_change.length === 0}>
              {MOVE_WORD[move]}
            </button>
            <a class="button" href="/console/cases">
              Leave them
            </a>
          </ActionForm>
        </Body>
      </Panel>
    </Page>
  );
  return { html };
}

function Preview({ preview }: { preview: BulkPreview }): Html {
  const { would_change: changes, would_refuse: refusals } = preview;
  if (changes.length + refusals.length === 0) return <Empty>Nothing.</Empty>;
  return (
    <Table label="What would change" columns={[{ name: 'Case' }, { name: 'From' }, { name: 'To' }]}>
      {changes.map(({ id, from, to }) => (
        <tr>
          <th scope="row">
            <a href={path`/console/cases/${id}`}>{id}</a>
          </th>
          <td>
            <StatePill state={from} />
          </td>
          <td>
            <StatePill state={to} />
          </td>
        </tr>
      ))}
      {refusals.map(({ id, code }) => (
        <tr>
          <th scope="row">{id}</th>
          <td colspan={2}>
            <Pill tone="medium">stays</Pill> {code.replaceAll('_', ' ')}
          </td>
        </tr>
      ))}
    </Table>
  );
}

/** @param filter of the list, as its query */
export function BulkForm({ csrf, filter }: { csrf: string; filter: URLSearchParams }): Html {
  const named = new URLSearchParams([...filter].filter(([name]) => name !== 'limit' && name !== 'cursor'));
  return (
    <Panel title="Many at once" aside="shown first, done after">
      <Body>
        <form method="post" action="/console/cases/bulk" id="bulk" class="filters">
          <input type="hidden" name="_csrf" value={csrf} />
          <input type="hidden" name="filter" value={named.toString()} />
          <Field label="With">
            <Select
              name="which"
              value="selected"
              options={[
                ['selected', 'those selected'],
                ['all', 'all that match the filter'],
              ]}
            />
          </Field>
          <Field label="Do">
            <Select name="move" value="acknowledge" options={MOVES.map((move) => [move, MOVE_WORD[move]] as const)} />
          </Field>
          <Why required={false} />
          <div class="for" data-for="resolve">
            <Verdict />
          </div>
          <div class="for" data-for="assign">
            <Field label="Assignee; empty: nobody">
              <input name="assignee" maxlength={200} autocomplete="off" />
            </Field>
          </div>
          <div class="for" data-for="suppress">
            <Suppression owner="" />
          </div>
          <button type="submit">Preview</button>
        </form>
      </Body>
    </Panel>
  );
}
