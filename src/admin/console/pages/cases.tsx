import { CASE_STATES, OPEN_STATES, UNSEEN_STATES } from '../../../core/case-state.ts';
import { plural } from '../../../core/plural.ts';
import { SEVERITIES } from '../../../core/severity.ts';
import type { ShownCase } from '../../api/case-schemas.ts';
import type { CaseCounts, Cases } from '../answers.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { Ago, Body, Empty, Field, type Html, Panel, Part, Pill, Select, SeverityPill, Table } from '../parts.tsx';
import { count } from '../words.ts';
import { addBulk, BulkForm } from './case-bulk.tsx';
import { casePeer, caseTitle, StatePill, stateWord } from './case-words.tsx';

const PER_PAGE = 50;
const FILTERS = ['state', 'severity', 'peer_id', 'reason', 'feed', 'assignee', 'text', 'drills'] as const;
export const SEES_CASES = ['audit.read', 'review'] as const;

/** Adds the list of cases: filters that combine, views, one step for many. */
export function addCases(desk: Desk): void {
  desk.show('/console/cases', casesPage);
  addBulk(desk);
}

/** Cases that nobody has looked at. Null: this person sees none. */
export async function waitingCases({ ask }: Pick<Frame, 'ask'>): Promise<number | null> {
  if (!ask.mayAny(SEES_CASES)) return null;
  const counts = await ask.get<CaseCounts>('/v1/cases/counts');
  if (!counts.ok) return null;
  return counts.value.counts
    .filter(({ state }) => UNSEEN_STATES.includes(state))
    .reduce((sum, one) => sum + one.count, 0);
}

async function casesPage({ frame, query }: Visit): Promise<Shown> {
  const given = new URLSearchParams({ limit: String(PER_PAGE) });
  for (const name of [...FILTERS, 'cursor']) if (query(name).trim() !== '') given.set(name, query(name).trim());
  // Whoever opens the page wants what is left to do.
  if (!FILTERS.some((name) => given.has(name))) given.set('state', 'open');
  if (given.get('state') === 'all') given.delete('state');
  const [cases, counts] = await Promise.all([
    frame.ask.get<Cases>(`/v1/cases?${given}`),
    frame.ask.get<CaseCounts>('/v1/cases/counts'),
  ]);
  const html = (
    <Page
      frame={frame}
      at="/console/cases"
      title="Cases"
      lede="What was refused and what else wants review, put together by peer, reason, feed and key."
    >
      <div class="stack">
        <Part answer={counts} show={(one) => <Views counts={one} given={given} name={frame.session.holder.name} />} />
        <Filters query={query} state={given.get('state') ?? 'all'} />
        <Panel
          title="Cases"
          aside={cases.ok ? plural(cases.value.cases.length, 'case') + (cases.value.has_more ? ' and more' : '') : ''}
          live="cases"
        >
          <Part answer={cases} show={(page) => <List page={page} given={given} frame={frame} />} />
        </Panel>
        {cases.ok && cases.value.cases.length > 0 && frame.ask.may('review') ? (
          <BulkForm csrf={frame.session.csrf} filter={given} />
        ) : null}
      </div>
    </Page>
  );
  return { status: cases.ok ? 200 : cases.status, html };
}

interface View {
  readonly name: string;
  readonly query: string;
  readonly number: number | null;
}

function Views({
  counts: { counts },
  given,
  name,
}: {
  counts: CaseCounts;
  given: URLSearchParams;
  name: string;
}): Html {
  const sum = (wanted: (one: CaseCounts['counts'][number]) => boolean): number =>
    counts.filter(wanted).reduce((all, one) => all + one.count, 0);
  const views: readonly View[] = [
    { name: 'Open', query: 'state=open', number: sum(({ state }) => OPEN_STATES.includes(state)) },
    { name: 'Unseen', query: 'state=new%2Creopened', number: sum(({ state }) => UNSEEN_STATES.includes(state)) },
    {
      name: 'Critical and high',
      query: 'state=open&severity=critical%2Chigh',
      number: sum(
        ({ state, severity }) => OPEN_STATES.includes(state) && (severity === 'critical' || severity === 'high'),
      ),
    },
    { name: 'Mine', query: `state=open&assignee=${encodeURIComponent(name)}`, number: null },
    { name: 'Nobody’s', query: 'state=open&assignee=none', number: null },
    { name: 'Waiting on peer', query: 'state=waiting', number: sum(({ state }) => state === 'waiting') },
    { name: 'Suppressed', query: 'state=suppressed', number: sum(({ state }) => state === 'suppressed') },
    { name: 'Resolved', query: 'state=resolved', number: sum(({ state }) => state === 'resolved') },
  ];
  const now = new URLSearchParams(given);
  now.delete('limit');
  return (
    <nav aria-label="Views">
      <ul class="views" data-views="">
        {views.map(({ name: title, query, number }) => (
          <li>
            <a href={`/console/cases?${query}`} {...(now.toString() === query ? { 'aria-current': 'page' } : {})}>
              {title}
              {number === null ? null : <span class="n">{count(number)}</span>}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

function Filters({ query, state }: { query: Visit['query']; state: string }): Html {
  const states = [
    ['open', 'open'],
    ['new,reopened', 'unseen'],
    ...CASE_STATES.map((one) => [one, stateWord(one)] as const),
    ['all', 'all'],
  ] as const;
  return (
    <form method="get" action="/console/cases" class="filters" data-view-form="">
      <Field label="State">
        <Select name="state" value={state} options={states} />
      </Field>
      <Field label="Severity">
        <Select
          name="severity"
          value={query('severity')}
          options={[
            ['', 'any'],
            ['critical,high', 'critical and high'],
            ...SEVERITIES.toReversed().map((one) => [one, one] as const),
          ]}
        />
      </Field>
      <Field label="Drills">
        <Select
          name="drills"
          value={query('drills')}
          options={[
            ['', 'any'],
            ['none', 'no drills'],
            ['only', 'drills only'],
          ]}
        />
      </Field>
      <Field label="Peer" grow>
        <input name="peer_id" value={query('peer_id')} autocomplete="off" spellcheck={false} data-filter="" />
      </Field>
      <Field label="Reason" grow>
        <input name="reason" value={query('reason')} autocomplete="off" spellcheck={false} />
      </Field>
      <Field label="Feed" grow>
        <input name="feed" value={query('feed')} autocomplete="off" spellcheck={false} />
      </Field>
      <Field label="Assignee" grow>
        <input
          name="assignee"
          value={query('assignee')}
          autocomplete="off"
          spellcheck={false}
          placeholder="none: nobody’s"
        />
      </Field>
      <Field label="In notes and tickets" grow>
        <input name="text" value={query('text')} autocomplete="off" />
      </Field>
      <button class="main" type="submit">
        Filter
      </button>
      <button type="button" hidden data-save-view>
        Save view
      </button>
    </form>
  );
}

function List({ page, given, frame }: { page: Cases; given: URLSearchParams; frame: Frame }): Html {
  if (page.cases.length === 0) return <Empty>No case is like this.</Empty>;
  const next = new URLSearchParams(given);
  if (page.cursor !== null) next.set('cursor', String(page.cursor));
  return (
    <>
      <CaseTable cases={page.cases} nowMs={frame.nowMs} picks={frame.ask.may('review')} />
      {page.has_more ? (
        <Body>
          <a class="button" href={`/console/cases?${next}`}>
            Older cases
          </a>
        </Body>
      ) : null}
    </>
  );
}

export function CaseTable({
  cases,
  nowMs,
  picks,
}: {
  cases: readonly ShownCase[];
  nowMs: number;
  picks: boolean;
}): Html {
  const columns = [
    { name: 'Severity' },
    { name: 'What' },
    { name: 'Peer' },
    { name: 'Feed' },
    { name: 'State' },
    { name: 'Seen', num: true },
    { name: 'Last' },
    { name: 'Whose' },
  ];
  return (
    <Table label="Cases" columns={picks ? [{ name: 'Select', unseen: true }, ...columns] : columns}>
      {cases.map((one) => (
        <tr data-row="" data-key={one.id}>
          {picks ? (
            <td class="pick">
              <label>
                <span class="sr">Select case {one.id}</span>
                <input type="checkbox" name="ids" value={one.id} form="bulk" />
              </label>
            </td>
          ) : null}
          <td>
            <SeverityPill severity={one.severity} />
            {one.is_drill ? <Pill tone="accent">drill</Pill> : null}
          </td>
          <th scope="row">
            <a href={path`/console/cases/${one.id}`}>{caseTitle(one)}</a>
          </th>
          <td class="wrap">{casePeer(one)}</td>
          <td class="wrap">{one.feed ?? '–'}</td>
          <td>
            <StatePill state={one.state} />
          </td>
          <td class="num">{count(one.seen)}</td>
          <td>
            <Ago at={one.last_at} nowMs={nowMs} />
          </td>
          <td class="wrap">{one.assignee ?? '–'}</td>
        </tr>
      ))}
    </Table>
  );
}
