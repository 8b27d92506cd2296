/** Drills: kinds with how the newest ended, making one, those that were made, the month's report. */

import type { DrillKindStatus, DrillRun } from '../../../core/drill.ts';
import type { Permission } from '../../../core/permissions.ts';
import { plural } from '../../../core/plural.ts';
import type { DrillRunsAnswer, DrillsAnswer } from '../../api/drills.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { handedOn, seeOther } from '../headers.ts';
import { type Frame, Page } from '../layout.tsx';
import { Ago, Empty, type Html, Panel, Part, Pill, ReasonedStep, Table } from '../parts.tsx';

const HERE = '/console/drills';
const LATEST = 30;
const MAY_RUN: readonly Permission[] = ['admin', 'admin:federation'];
const TONE = { passed: 'good', failed: 'critical', running: 'accent' } as const;

export function addDrills(desk: Desk): void {
  desk.show(HERE, drillsPage);
  desk.act('/console/drills/:kind/run', async ({ frame, param }, form) => {
    const kind = param('kind');
    const answer = await frame.ask.post('/v1/drills', { kind, reason: form.text('reason') });
    frame.session.tell(
      answer.ok
        ? { kind: 'done', text: `Drill ${kind} runs. Load the page again to see what came of it.` }
        : { kind: 'failed', text: answer.message },
    );
    return seeOther(HERE);
  });
  desk.give(
    '/console/drills/report',
    async ({ frame, query }) => handedOn(await frame.ask.raw(path`/v1/drills/report?month=${query('month')}`)),
    'by a person',
  );
}

async function drillsPage({ frame }: Visit): Promise<Shown> {
  const [status, made] = await Promise.all([
    frame.ask.get<DrillsAnswer>('/v1/drills'),
    frame.ask.get<DrillRunsAnswer>(path`/v1/drills/runs?limit=${LATEST}`),
  ]);
  const month = new Date(frame.nowMs).toISOString().slice(0, 7);
  const html = (
    <Page
      frame={frame}
      at={HERE}
      title="Drills"
      lede="Attacks of this node on itself, each labelled as a drill: they show that the alarm works."
      aside={
        <a class="button" href={path`/console/drills/report?month=${month}`} download>
          Signed report of {month}
        </a>
      }
    >
      <div class="stack">
        <Part answer={status} show={(one) => <Kinds status={one} frame={frame} />} />
        <Part answer={made} show={({ runs }) => <Made runs={runs} nowMs={frame.nowMs} />} />
      </div>
    </Page>
  );
  return { html };
}

function Kinds({ status, frame }: { status: DrillsAnswer; frame: Frame }): Html {
  const { kinds, running, schedule } = status;
  const mayRun = frame.ask.mayAny(MAY_RUN);
  const clock =
    schedule === null ? 'none is made by itself' : `every ${plural(schedule.every_hours, 'hour')} by itself`;
  return (
    <Panel title="Kinds" aside={running === null ? clock : `${running.kind} runs`}>
      <Table
        label="Kinds of drills"
        columns={[
          { name: 'Kind' },
          { name: 'What is done' },
          { name: 'Has to end in' },
          { name: 'Newest' },
          ...(mayRun ? [{ name: 'Make one' }] : []),
        ]}
      >
        {kinds.map((kind) => (
          <tr>
            <th scope="row">{kind.kind}</th>
            <td class="wrap">
              {kind.kind === 'anchor-down' ? 'A log that' : 'A partner that'} {kind.does}
            </td>
            <td class="nowrap">{kind.reason}</td>
            <td>
              <Newest kind={kind} nowMs={frame.nowMs} />
            </td>
            {mayRun ? (
              <td>
                <details>
                  <summary aria-label={`Run ${kind.kind}`}>Run</summary>
                  <ReasonedStep
                    action={path`/console/drills/${kind.kind}/run`}
                    csrf={frame.session.csrf}
                    button="Attack this node"
                    look="main"
                  />
                </details>
              </td>
            ) : null}
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

function Newest({ kind: { last_state, last_run_at }, nowMs }: { kind: DrillKindStatus; nowMs: number }): Html {
  if (last_state === null) return <span class="muted">never</span>;
  return (
    <>
      <Pill tone={TONE[last_state]}>{last_state}</Pill> <Ago at={last_run_at} nowMs={nowMs} />
    </>
  );
}

function Made({ runs, nowMs }: { runs: readonly DrillRun[]; nowMs: number }): Html {
  return (
    <Panel title="Made" aside={`the newest ${LATEST}`}>
      {runs.length === 0 ? (
        <Empty>No drill was made.</Empty>
      ) : (
        <Table
          label="Drills"
          columns={[
            { name: 'Kind' },
            { name: 'When' },
            { name: 'Result' },
            { name: 'Refused as' },
            { name: 'Refused', num: true },
            { name: 'Sinks' },
            { name: 'Acknowledged' },
            { name: 'By' },
          ]}
        >
          {runs.map((run) => (
            <tr>
              <th scope="row">
                {run.case_id === null ? run.kind : <a href={path`/console/cases/${run.case_id}`}>{run.kind}</a>}
              </th>
              <td>
                <Ago at={run.started_at} nowMs={nowMs} />
              </td>
              <td>
                <Pill tone={TONE[run.state]}>{run.state}</Pill>
              </td>
              <td class="wrap">
                {run.failure === null ? (run.seen?.reason ?? '–') : `${run.failure.code}: ${run.failure.message}`}
              </td>
              <td class="num">{after(run, run.refused_at)}</td>
              <td class="wrap">
                {run.sinks.length === 0
                  ? '–'
                  : run.sinks
                      .map(({ name, state, acked_at }) =>
                        state === 'acknowledged' ? `${name} ${after(run, acked_at)}` : `${name} ${state}`,
                      )
                      .join(', ')}
              </td>
              <td>{run.acknowledged_at === null ? 'no' : after(run, run.acknowledged_at)}</td>
              <td class="wrap">{run.started_by}</td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  );
}

/** Since the lie has left. */
function after({ sent_at }: DrillRun, at: string | null): string {
  if (sent_at === null || at === null) return '–';
  const ms = Math.max(0, Date.parse(at) - Date.parse(sent_at));
  return ms < 10_000 ? `${ms} ms` : `${Math.round(ms / 1_000)} s`;
}
