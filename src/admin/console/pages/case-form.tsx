/** What a step with a case asks for, and how the form's fields become what the API takes. */

import { CASE_VERDICTS, type CaseMove } from '../../../core/case-state.ts';
import { DAY_MS } from '../../../core/time.ts';
import type { Form } from '../desk.ts';
import { Field, type Html, Select } from '../parts.tsx';

/** The verbs of buttons. */
export const MOVE_WORD: Readonly<Record<CaseMove, string>> = {
  acknowledge: 'Acknowledge',
  investigate: 'Investigate',
  wait: 'Wait for the peer',
  resolve: 'Resolve',
  suppress: 'Suppress',
  reopen: 'Reopen',
  assign: 'Assign',
  note: 'Add the note',
  ticket: 'Set the ticket',
};

/** Members of the body of `POST /v1/cases/{id}/{move}`; what is wrong in them, the API says. */
export function stepOf(move: CaseMove, form: Form, nowMs: number): Readonly<Record<string, unknown>> {
  const text = (name: string): string => form.text(name).trim();
  const why = text('why');
  if (move === 'resolve') return { why, verdict: text('verdict') };
  if (move === 'assign') return { why, assignee: text('assignee') === '' ? null : text('assignee') };
  if (move === 'ticket') return { why, ticket: text('ticket') === '' ? null : text('ticket') };
  if (move !== 'suppress') return { why };
  const until = new Date(nowMs + Number(text('days')) * DAY_MS);
  // No moment at all, or one that no calendar has: the API says so.
  return { why, owner: text('owner'), until: Number.isNaN(until.getTime()) ? '' : until.toISOString() };
}

export function Verdict(): Html {
  return (
    <Field label="Verdict">
      <Select
        name="verdict"
        value="insufficient_data"
        options={CASE_VERDICTS.map((one) => [one, one.replaceAll('_', ' ')] as const)}
      />
    </Field>
  );
}

export function Suppression({ owner }: { owner: string }): Html {
  return (
    <>
      <Field label="Who answers for it">
        <input name="owner" value={owner} maxlength={200} autocomplete="off" />
      </Field>
      <Field label="For days">
        <input name="days" type="number" min={1} max={92} value="7" />
      </Field>
    </>
  );
}

export function Why({ label = 'Why', required }: { label?: string; required: boolean }): Html {
  return (
    <Field label={label} grow>
      <input name="why" required={required} maxlength={500} autocomplete="off" />
    </Field>
  );
}
