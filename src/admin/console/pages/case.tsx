import { CASE_MOVE_NAMES, CASE_MOVES, type CaseMove } from '../../../core/case-state.ts';
import { plural } from '../../../core/plural.ts';
import type { ShownCase } from '../../api/case-schemas.ts';
import type { AuditDetail, CaseFile } from '../answers.ts';
import { type Answer, path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { Ago, Body, Code, Empty, type Html, Pairs, Panel, Pill, SeverityPill } from '../parts.tsx';
import { count, instantText } from '../words.ts';
import { Approvals } from './approvals.tsx';
import { CaseActions } from './case-actions.tsx';
import { MOVE_WORD, stepOf } from './case-form.tsx';
import { casePeer, caseTitle, StatePill } from './case-words.tsx';
import { Evidence } from './evidence.tsx';
import { missing } from './missing.tsx';
import { recordTitle } from './record-title.ts';
import { tell } from './tell.ts';

/** Records of the timeline; the rest is a page of its own. */
const SHOWN_EVENTS = 60;

/** Adds the page of one case, and the steps that people take with it. */
export function addCase(desk: Desk): void {
  desk.show('/console/cases/:id', casePage);
  for (const move of CASE_MOVE_NAMES)
    desk.act(`/console/cases/:id/${move}`, async (visit, form) => {
      const id = visit.param('id');
      const version = move === 'note' ? {} : { version: Number(form.text('version')) };
      const step = { ...version, ...stepOf(move, form, visit.frame.nowMs) };
      const answer = await visit.frame.ask.post(path`/v1/cases/${id}/` + move, step);
      return tell(visit, answer, DONE[move], path`/console/cases/${id}`);
    });
}

const DONE: Readonly<Record<CaseMove, string>> = {
  acknowledge: 'Acknowledged.',
  investigate: 'Somebody works on it.',
  wait: 'It waits for the peer.',
  resolve: 'Resolved.',
  suppress: 'Suppressed: repeats are counted and do not call anybody.',
  reopen: 'Open again.',
  assign: 'Assigned.',
  note: 'Noted.',
  ticket: 'The ticket is set.',
};

async function casePage({ frame, param, query }: Visit): Promise<Shown> {
  const { ask } = frame;
  const file = await ask.get<CaseFile>(path`/v1/cases/${param('id')}?limit=${SHOWN_EVENTS}`);
  if (!file.ok) return missing(frame, '/console/cases', file);
  const { case: held, proposals } = file.value;
  const asked = Number(query('record'));
  const chosen = held.exemplars.includes(asked) ? asked : (held.exemplars.at(-1) ?? held.id);
  const detail = await ask.get<AuditDetail>(path`/v1/federation/audit/${chosen}`);
  const html = (
    <Page
      frame={frame}
      at="/console/cases"
      crumb={['/console/cases', 'Cases']}
      title={caseTitle(held)}
      lede={`Case ${held.id} · ${casePeer(held)}${held.feed === null ? '' : ` · feed ${held.feed}`}`}
      aside={
        <>
          <SeverityPill severity={held.severity} />
          {held.is_drill ? <Pill tone="accent">drill</Pill> : null}
          <StatePill state={held.state} />
        </>
      }
    >
      <div class="stack">
        {proposals.some(({ state }) => state === 'open') ? (
          <Approvals
            proposals={{ four_eyes: [], has_more: false, proposals: proposals.filter(({ state }) => state === 'open') }}
            frame={frame}
            back={path`/console/cases/${held.id}`}
          />
        ) : null}
        <div class="grid">
          <div class="stack w7">
            <Exemplars held={held} chosen={chosen} />
            <Shared detail={detail} />
          </div>
          <div class="stack w5">
            <About file={file.value} frame={frame} />
            {frame.ask.may('review') ? <CaseActions held={held} frame={frame} /> : null}
            <Timeline file={file.value} frame={frame} />
          </div>
        </div>
      </div>
    </Page>
  );
  return { html };
}

function Shared({ detail }: { detail: Answer<AuditDetail> }): Html {
  if (detail.ok) return <Evidence detail={detail.value} />;
  return (
    <Panel title="Evidence">
      <Empty>{detail.message}.</Empty>
    </Panel>
  );
}

/** Which of the records the evidence below is of. */
function Exemplars({ held, chosen }: { held: ShownCase; chosen: number }): Html {
  return (
    <nav aria-label="Examples">
      <ul class="views">
        {held.exemplars.map((seq, i) => (
          <li>
            <a
              href={path`/console/cases/${held.id}?record=${seq}`}
              {...(seq === chosen ? { 'aria-current': 'page' } : {})}
            >
              {i === 0 ? 'First' : i === held.exemplars.length - 1 ? 'Last' : 'Example'}
              <span class="n">{seq}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function About({ file: { case: held, told }, frame }: { file: CaseFile; frame: Frame }): Html {
  const { suppression } = held;
  const toldText = told === null ? 'not told of this' : told.told_seq >= told.last_seq ? 'told' : 'not told yet';
  return (
    <Panel title="Case" live="about">
      <Body>
        <Pairs
          pairs={[
            ['Peer', held.peer === null ? casePeer(held) : <a href={path`/console/peers/${held.peer}`}>{held.peer}</a>],
            ['Reason', <Code>{held.reason ?? held.topic}</Code>],
            ['Feed', held.feed ?? '–'],
            ['Key', held.key_id === null ? '–' : <Code>{held.key_id}</Code>],
            ['Seen', plural(held.seen, 'time')],
            ['First', <Ago at={held.first_at} nowMs={frame.nowMs} />],
            ['Last', <Ago at={held.last_at} nowMs={frame.nowMs} />],
            ['In this state', <Ago at={held.state_at} nowMs={frame.nowMs} />],
            ['Whose', held.assignee ?? 'nobody’s'],
            ['Ticket', held.ticket ?? '–'],
            ['Verdict', held.verdict?.replaceAll('_', ' ') ?? '–'],
            ['The peer', toldText],
            ...(suppression === null
              ? []
              : ([
                  [
                    'Suppressed',
                    `${suppression.reason} (${suppression.owner}, until ${instantText(suppression.until)}, ${count(suppression.absorbed)} absorbed)`,
                  ],
                ] as const)),
          ]}
        />
      </Body>
    </Panel>
  );
}

function Timeline({ file: { timeline }, frame }: { file: CaseFile; frame: Frame }): Html {
  return (
    <Panel title="Timeline" aside={timeline.has_more ? `newest ${SHOWN_EVENTS}` : ''} live="timeline">
      <Body>
        <ol class="timeline">
          {timeline.events.map(({ kind, record }) => (
            <li class={kind === 'change' ? 'mark' : ''} data-key={record.seq}>
              <strong>{kind === 'change' ? changeTitle(record.detail, record.event_type) : recordTitle(record)}</strong>{' '}
              <span class="at">
                <a href={path`/console/records/${record.seq}`}>{record.seq}</a> ·{' '}
                <Ago at={record.ts} nowMs={frame.nowMs} />
                {record.actor === null ? '' : ` · ${record.actor}`}
              </span>
              {textIn(record.detail, 'why') === null ? null : <p>{textIn(record.detail, 'why')}</p>}
            </li>
          ))}
        </ol>
      </Body>
    </Panel>
  );
}

function changeTitle(detail: Readonly<Record<string, unknown>> | null, event: string): string {
  const move = CASE_MOVE_NAMES.find((one) => one === textIn(detail, 'move'));
  if (move === undefined) return event.replaceAll('_', ' ');
  const more = textIn(detail, 'verdict') ?? textIn(detail, 'assignee') ?? textIn(detail, 'ticket');
  const word = move === 'assign' || move === 'note' || move === 'ticket' ? CASE_MOVES[move].done : MOVE_WORD[move];
  return more === null ? word : `${word}: ${more.replaceAll('_', ' ')}`;
}

function textIn(detail: Readonly<Record<string, unknown>> | null, name: string): string | null {
  const value = detail?.[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
