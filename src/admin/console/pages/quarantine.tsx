/** Facts that are held back from readers, and the decisions about them. */
import { plural } from '../../../core/plural.ts';
import type { ReviewStatus } from '../../../core/review.ts';
import type { Fact, HeldBack, HeldFact, Proposals } from '../answers.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import {
  Ago,
  Body,
  Code,
  Empty,
  FilterText,
  Folded,
  type Html,
  Pairs,
  Panel,
  Part,
  Pill,
  ReasonedStep,
  Short,
  Table,
  type Tone,
} from '../parts.tsx';
import { instantText, nodeName } from '../words.ts';
import { Approvals } from './approvals.tsx';
import { valueText } from './facts.tsx';
import { missing } from './missing.tsx';
import { tell } from './tell.ts';

const HERE = '/console/quarantine';
const PER_PAGE = 50;
const VIEWS = [
  ['pending', 'To decide'],
  ['promoted', 'Let through'],
  ['rejected', 'Kept back'],
  ['all', 'All'],
] as const;

const TONE: Readonly<Record<ReviewStatus, Tone>> = { pending: 'medium', promoted: 'good', rejected: '' };
const WORD: Readonly<Record<ReviewStatus, string>> = {
  pending: 'to decide',
  promoted: 'let through',
  rejected: 'kept back',
};
/** Codes are the API's; a reviewer reads why. */
const WHY: Readonly<Record<string, string>> = {
  instruction_inbound: 'it wants to be taken as an instruction, and came from outside',
};

/** Adds facts in quarantine: a list, and a page for each with what was decided. */
export function addQuarantinePages(desk: Desk): void {
  desk.show(HERE, listPage);
  desk.show(`${HERE}/:id`, onePage);
  for (const verb of ['promote', 'reject'] as const)
    desk.act(`${HERE}/:id/${verb}`, async (visit, form) => {
      const id = visit.param('id');
      const body = { reason: form.text('reason') };
      const answer = await visit.frame.ask.post(path`/v1/quarantine/${id}/` + verb, body);
      const done = verb === 'promote' ? 'Readers see the fact now.' : 'The fact is kept from readers.';
      return tell(visit, answer, done, path`/console/quarantine/${id}`);
    });
}

async function listPage({ frame, query }: Visit): Promise<Shown> {
  const status = VIEWS.find(([name]) => name === query('status'))?.[0] ?? 'pending';
  const peer = query('peer').trim();
  const given = new URLSearchParams({ status, limit: String(PER_PAGE) });
  if (peer !== '') given.set('peer', peer);
  if (query('before') !== '') given.set('before', query('before'));
  const [held, proposals] = await Promise.all([
    frame.ask.get<HeldBack>(`/v1/quarantine?${given}`),
    frame.ask.get<Proposals>('/v1/approvals?limit=50'),
  ]);
  const html = (
    <Page
      frame={frame}
      at={HERE}
      title="Quarantine"
      lede="Facts that were taken into the journal and are kept from readers until a person has read them. What they say is folded: it was written by somebody else."
    >
      <div class="stack">
        <nav aria-label="Views">
          <ul class="views">
            {VIEWS.map(([name, title]) => (
              <li>
                <a href={linkTo(name, peer)} {...(name === status ? { 'aria-current': 'page' } : {})}>
                  {title}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <form method="get" action={HERE} class="filters">
          <input type="hidden" name="status" value={status} />
          <FilterText name="peer" label="Peer: the name of its file, or its node id" value={peer} isFirst={true} />
          <button class="main" type="submit">
            Filter
          </button>
        </form>
        <Panel title="Facts held back" aside={held.ok ? sumText(held.value) : ''} live="held">
          <Part answer={held} show={(page) => <List page={page} frame={frame} given={given} />} />
        </Panel>
        {proposals.ok ? <Proposed proposals={proposals.value} frame={frame} back={HERE} /> : null}
      </div>
    </Page>
  );
  return { status: held.ok ? 200 : held.status, html };
}

function linkTo(status: string, peer: string): string {
  return `${HERE}?${new URLSearchParams({ status, ...(peer === '' ? {} : { peer }) })}`;
}

function sumText({ facts, before }: HeldBack): string {
  return plural(facts.length, 'fact') + (before === null ? '' : ' and more');
}

/** Those about facts alone; nothing where none waits. @param subject of one fact; null: of all */
function Proposed(props: { proposals: Proposals; frame: Frame; back: string; subject?: string }): Html | null {
  const { proposals, frame, back, subject } = props;
  const open = proposals.proposals.filter(
    ({ action, subject: about }) => action.startsWith('quarantine.') && (subject === undefined || about === subject),
  );
  if (open.length === 0 && !proposals.has_more) return null;
  const four_eyes = proposals.four_eyes.filter((action) => action.startsWith('quarantine.'));
  return <Approvals proposals={{ ...proposals, four_eyes, proposals: open }} frame={frame} back={back} />;
}

function List({ page, frame, given }: { page: HeldBack; frame: Frame; given: URLSearchParams }): Html {
  if (page.facts.length === 0 && page.before === null)
    return (
      <Empty>{given.get('status') === 'pending' ? 'Nothing waits for a decision.' : 'No fact is like this.'}</Empty>
    );
  const next = new URLSearchParams(given);
  next.delete('limit');
  if (page.before !== null) next.set('before', String(page.before));
  return (
    <>
      <Table
        label="Facts held back"
        columns={[
          { name: 'Fact' },
          { name: 'From' },
          { name: 'Why it is held' },
          { name: 'State' },
          { name: 'Said' },
          { name: 'What it says' },
        ]}
      >
        {page.facts.map((one) => (
          <Row one={one} nowMs={frame.nowMs} />
        ))}
      </Table>
      {page.before === null ? null : (
        <Body>
          <a class="button" href={`${HERE}?${next}`}>
            Older facts
          </a>
        </Body>
      )}
    </>
  );
}

function Row({ one: { fact, reason, seq, status }, nowMs }: { one: HeldFact; nowMs: number }): Html {
  if (fact === null)
    return (
      <tr>
        <th scope="row">entry {seq}</th>
        <td colspan={5}>
          <Pill tone="critical">damaged</Pill> The stored row is not what was appended: run <code>fsck</code>.
        </td>
      </tr>
    );
  return (
    <tr data-row="" data-key={fact.id}>
      <th scope="row">
        <a href={path`/console/quarantine/${fact.id}`}>
          <Short text={fact.id} />
        </a>
      </th>
      <td class="wrap">{nodeName(fact.received_from ?? 'this node')}</td>
      <td class="wrap wide">{WHY[reason] ?? reason.replaceAll('_', ' ')}</td>
      <td>
        <Pill tone={TONE[status]}>{WORD[status]}</Pill>
      </td>
      <td>
        <Ago at={fact.timestamp} nowMs={nowMs} />
      </td>
      <td class="wrap">
        <details>
          <summary aria-label={`Show what fact ${fact.id} says`}>Show</summary>
          <Said fact={fact} />
        </details>
      </td>
    </tr>
  );
}

/** Text of somebody else's making: shown as it is written, and as nothing else. */
function Said({ fact }: { fact: Fact }): Html {
  return (
    <>
      <p class="muted small wrap">
        {fact.entity} · {fact.relation}
      </p>
      <pre tabindex={0} aria-label="Value">
        {valueText(fact.value)}
      </pre>
    </>
  );
}

interface OneHeld {
  readonly fact: Fact;
  readonly status: ReviewStatus;
  readonly reason: string;
  readonly history: readonly {
    readonly audit_seq: number;
    readonly at: string;
    readonly status: ReviewStatus;
    readonly by: string | null;
    readonly why: string | null;
  }[];
}

async function onePage({ frame, param }: Visit): Promise<Shown> {
  const id = param('id');
  const [held, proposals] = await Promise.all([
    frame.ask.get<OneHeld>(path`/v1/quarantine/${id}`),
    frame.ask.get<Proposals>('/v1/approvals?limit=50'),
  ]);
  if (!held.ok) return missing(frame, HERE, held);
  const { fact, history, reason, status } = held.value;
  const here = path`/console/quarantine/${id}`;
  const html = (
    <Page
      frame={frame}
      at={HERE}
      crumb={[HERE, 'Quarantine']}
      title="Fact held back"
      lede={<span class="wrap">Readers do not see it: {WHY[reason] ?? reason.replaceAll('_', ' ')}.</span>}
      aside={<Pill tone={TONE[status]}>{WORD[status]}</Pill>}
    >
      <div class="grid">
        <div class="stack w7">
          <Panel title="What it says" aside="written by somebody else, shown as text">
            <Body>
              <Folded summary="Show what it says">
                <Said fact={fact} />
              </Folded>
            </Body>
          </Panel>
          <Panel title="Fact">
            <Body>
              <Pairs
                pairs={[
                  ['From', <Code>{fact.received_from ?? 'this node'}</Code>],
                  ['Source', <Code>{fact.source}</Code>],
                  ['Scope', fact.garden_id === null ? fact.scope : `${fact.scope}, garden ${fact.garden_id}`],
                  ['Said', instantText(fact.timestamp)],
                  ['Held for', <Code>{reason}</Code>],
                  ['Id', <Code>{fact.id}</Code>],
                  ['CID', <Code>{fact.cid ?? '–'}</Code>],
                ]}
              />
            </Body>
          </Panel>
        </div>
        <div class="stack w5">
          <Decide status={status} here={here} csrf={frame.session.csrf} />
          {proposals.ok ? <Proposed proposals={proposals.value} frame={frame} back={here} subject={fact.id} /> : null}
          <Panel title="What was decided">
            <History steps={history} nowMs={frame.nowMs} />
          </Panel>
        </div>
      </div>
    </Page>
  );
  return { html };
}

function Decide({ status, here, csrf }: { status: ReviewStatus; here: string; csrf: string }): Html {
  return (
    <Panel title="Decide">
      <Body>
        <div class="stack">
          {status === 'promoted' ? (
            <p class="muted small">Readers see it. The other decision takes that back.</p>
          ) : null}
          {status === 'promoted' ? null : (
            <Folded summary="Let readers see it">
              <ReasonedStep action={`${here}/promote`} csrf={csrf} button="Let it through" look="main" />
            </Folded>
          )}
          {status === 'rejected' ? null : (
            <Folded summary={status === 'promoted' ? 'Keep it from readers again' : 'Keep it from readers'}>
              <ReasonedStep action={`${here}/reject`} csrf={csrf} button="Keep it back" look="danger" />
            </Folded>
          )}
        </div>
      </Body>
    </Panel>
  );
}

function History({ steps, nowMs }: { steps: OneHeld['history']; nowMs: number }): Html {
  return (
    <Body>
      <ol class="timeline">
        {steps.map(({ audit_seq, at, by, status, why }) => (
          <li class={status === 'pending' ? '' : 'mark'}>
            <strong>{status === 'pending' ? 'held back' : WORD[status]}</strong>{' '}
            <span class="at">
              <a href={path`/console/records/${audit_seq}`}>{audit_seq}</a> · <Ago at={at} nowMs={nowMs} />
              {by === null ? '' : ` · ${by}`}
            </span>
            {why === null ? null : <p>{why}</p>}
          </li>
        ))}
      </ol>
    </Body>
  );
}
