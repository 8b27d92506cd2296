/** Checks of everything that is stored: the one that goes on, and those on record. */

import type { CheckCause, JournalCheck } from '../../../core/journal-check.ts';
import { plural } from '../../../core/plural.ts';
import type { ChecksAnswer } from '../../api/journal-checks.ts';
import type { RunningCheck } from '../../check-desk.ts';
import { type Answer, path } from '../ask.ts';
import type { Desk } from '../desk.ts';
import type { Frame } from '../layout.tsx';
import { ActionForm, Ago, Body, Empty, type Html, Panel, Part, Pill, Short, Table } from '../parts.tsx';
import { agoText, count, spanText } from '../words.ts';
import { tell } from './tell.ts';

const HERE = '/console/journal';
const CAUSE: Readonly<Record<CheckCause, string>> = {
  command_line: 'fsck',
  by_hand: 'by hand',
  by_clock: 'by the clock',
};

/** Adds the buttons that begin and end one. */
export function addCheckActions(desk: Desk): void {
  desk.act(`${HERE}/check`, async (visit) => {
    const answer = await visit.frame.ask.post('/v1/journal/checks', {});
    const done = 'The check has begun. Its result is recorded.';
    return tell(visit, answer.ok ? { ...answer, status: 200 } : answer, done, HERE);
  });
  desk.act(`${HERE}/check/stop`, async (visit) => {
    const answer = await visit.frame.ask.delete('/v1/journal/checks/running');
    return tell(visit, answer, 'The check has ended. Nothing of it is recorded.', HERE);
  });
}

export function Checks({ checks, frame }: { checks: Answer<ChecksAnswer>; frame: Frame }): Html {
  return (
    <Panel title="Full checks" aside={checks.ok ? lastText(checks.value, frame.nowMs) : ''} live="journal-checks">
      <Part answer={checks} show={(value) => <List value={value} frame={frame} />} />
    </Panel>
  );
}

function lastText({ checks, last_clean_at }: ChecksAnswer, nowMs: number): string {
  if (checks[0]?.clean === false) return 'the newest has found damage';
  return last_clean_at === null ? 'none yet' : `last clean ${agoText(last_clean_at, nowMs)}`;
}

function List({ value, frame }: { value: ChecksAnswer; frame: Frame }): Html {
  const { checks, every_hours, last_error, running } = value;
  const may = frame.ask.may('admin');
  return (
    <>
      <Body>
        <div class="stack">
          <p class="muted small">
            Everything is derived again from the stored bytes and compared.{' '}
            {every_hours === null
              ? 'The node does it when somebody asks: fsck.every_hours is 0.'
              : `The node does it by itself when the last clean check is ${spanText(every_hours * 3_600)} old.`}{' '}
            <code>stigmem-peerd fsck</code> does the same without trusting the node.
          </p>
          {last_error === null ? null : (
            <p>
              <Pill tone="high">did not end</Pill> {last_error}
            </p>
          )}
          {running === null ? null : <Running running={running} />}
          {may ? <Act isRunning={running !== null} csrf={frame.session.csrf} /> : null}
        </div>
      </Body>
      {checks.length === 0 ? <Empty>No check is on record.</Empty> : <Past checks={checks} nowMs={frame.nowMs} />}
    </>
  );
}

function Running({ running: { done, phase, total } }: { running: RunningCheck }): Html {
  return (
    <div class="progress" data-live-busy="">
      <progress max={Math.max(1, total)} value={done} aria-label={`Checking ${phase.replaceAll('_', ' ')}`} />
      <span class="muted small">
        {phase.replaceAll('_', ' ')}
        {total === 0 ? '' : `, ${count(done)} of ${count(total)}`}
      </span>
    </div>
  );
}

function Act({ isRunning, csrf }: { isRunning: boolean; csrf: string }): Html {
  return (
    <ActionForm action={isRunning ? `${HERE}/check/stop` : `${HERE}/check`} csrf={csrf} class="actions">
      <button type="submit">{isRunning ? 'Stop the check' : 'Check now'}</button>
    </ActionForm>
  );
}

function Past({ checks, nowMs }: { checks: readonly JournalCheck[]; nowMs: number }): Html {
  return (
    <Table
      label="Full checks"
      columns={[
        { name: 'Record', num: true },
        { name: 'Result' },
        { name: 'Ended' },
        { name: 'Had run by' },
        { name: 'Took', num: true },
        { name: 'Rows', num: true },
        { name: 'Entries', num: true },
        { name: 'Root of the journal' },
      ]}
    >
      {checks.map((check) => (
        <tr data-row="" data-key={check.audit_seq}>
          <th scope="row" class="num">
            <a href={path`/console/records/${check.audit_seq}`}>{check.audit_seq}</a>
          </th>
          <td class="wrap">
            <Pill tone={check.clean ? 'good' : 'critical'}>
              {check.clean ? 'clean' : plural(check.problems, 'problem')}
            </Pill>
            {check.first_problems.slice(0, 3).map((text) => (
              <div class="small wrap">{text}</div>
            ))}
          </td>
          <td>
            <Ago at={check.ended_at} nowMs={nowMs} />
          </td>
          <td class="wrap">
            {CAUSE[check.cause]}
            {check.by === null ? null : <div class="muted small wrap">{check.by}</div>}
          </td>
          <td class="num nowrap">{tookText(check.duration_ms)}</td>
          <td class="num">{count(check.rows)}</td>
          <td class="num">{check.journal === null ? '–' : count(check.journal.size)}</td>
          <td>{check.journal === null ? '–' : <Short text={check.journal.root} />}</td>
        </tr>
      ))}
    </Table>
  );
}

function tookText(ms: number): string {
  return ms < 60_000 ? `${(ms / 1_000).toFixed(1)} s` : spanText(ms / 1_000);
}
