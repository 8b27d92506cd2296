/** What leaves the machine: who is sent the audit log, and where copies of everything are. */
import type { BackupsAnswer } from '../../api/backups.ts';
import type { SinkAnswer, SinksAnswer, SinkTestAnswer } from '../../api/sinks.ts';
import { type Answer, path } from '../ask.ts';
import type { Desk } from '../desk.ts';
import type { Frame } from '../layout.tsx';
import { ActionForm, Ago, Body, Empty, Folded, type Html, Pairs, Panel, Part, Pill, Reason, Table } from '../parts.tsx';
import { count, spanText } from '../words.ts';
import { tell } from './tell.ts';

const HERE = '/console/settings';
export const SEES_COPIES = ['audit.read', 'admin'] as const;

/** Adds the test of a receiver. */
export function addSinkTest(desk: Desk): void {
  desk.act('/console/sinks/:name/test', async (visit, form) => {
    const name = visit.param('name');
    const answer = await visit.frame.ask.post<SinkTestAnswer>(path`/v1/sinks/${name}/test`, {
      reason: form.text('reason'),
    });
    const failed = answer.ok && !answer.value.taken;
    const said = failed ? { ok: false as const, status: 502, message: `${name}: ${answer.value.message}` } : answer;
    return tell(visit, said, `${name} has taken the test event.`, HERE);
  });
}

export function Copies(props: { sinks: Answer<SinksAnswer>; backups: Answer<BackupsAnswer>; frame: Frame }): Html {
  const { sinks, backups, frame } = props;
  return (
    <Panel title="What leaves this machine" aside="the audit log, and copies of everything" live="copies">
      <Part answer={backups} show={(value) => <Kept backups={value} />} />
      <Part answer={sinks} show={({ sinks: all }) => <Receivers sinks={all} frame={frame} />} />
    </Panel>
  );
}

function Kept({ backups: { snapshots, worm } }: { backups: BackupsAnswer }): Html {
  return (
    <Body>
      <Pairs
        pairs={[
          [
            'WORM store',
            worm === null ? (
              'nothing is shipped: worm.target is empty'
            ) : (
              <>
                {worm.sentence} {worm.last_error === null ? null : <Pill tone="high">{worm.last_error}</Pill>}{' '}
                {worm.weakness === null ? null : <Pill tone="medium">{worm.weakness}</Pill>}
              </>
            ),
          ],
          [
            'Snapshots',
            snapshots === null
              ? 'none are made by themselves: snapshot.every_hours is 0'
              : `every ${spanText(snapshots.every_hours * 3_600)}; ${
                  snapshots.verified_age_seconds === null
                    ? 'none was restored and checked yet'
                    : `the newest that was restored and checked is ${spanText(snapshots.verified_age_seconds)} old`
                }`,
          ],
        ]}
      />
    </Body>
  );
}

function Receivers({ sinks, frame }: { sinks: readonly SinkAnswer[]; frame: Frame }): Html {
  if (sinks.length === 0) return <Empty>The audit log is sent to nobody: config.toml has no [[sink]].</Empty>;
  return (
    <Table
      label="Receivers of the audit log"
      columns={[
        { name: 'Receiver' },
        { name: 'Form' },
        { name: 'State' },
        { name: 'Waits', num: true },
        { name: 'Last taken' },
        { name: 'Act' },
      ]}
    >
      {sinks.map((sink) => (
        <Receiver sink={sink} frame={frame} />
      ))}
    </Table>
  );
}

function Receiver({ sink, frame }: { sink: SinkAnswer; frame: Frame }): Html {
  const { attempts, format, kind, lag_events, last_taken_at, name, sentence, target } = sink;
  return (
    <tr>
      <th scope="row" class="wrap">
        {name}
        <div class="muted small wrap">{target}</div>
      </th>
      <td class="wrap">
        {kind}, {format}
      </td>
      <td class="wrap">
        <Pill tone={attempts > 0 ? 'high' : 'good'}>{attempts > 0 ? 'fails' : 'takes'}</Pill>
        <div class="muted small wrap">{sentence}</div>
      </td>
      <td class="num">{count(lag_events)}</td>
      <td>
        <Ago at={last_taken_at} nowMs={frame.nowMs} />
      </td>
      <td>
        {frame.ask.mayAny(['review', 'admin']) ? (
          <Folded summary="Test">
            <ActionForm action={path`/console/sinks/${name}/test`} csrf={frame.session.csrf}>
              <Reason />
              <div class="actions">
                <button type="submit">Send a test to {name}</button>
              </div>
            </ActionForm>
          </Folded>
        ) : (
          '–'
        )}
      </td>
    </tr>
  );
}
