import { SCOPES } from '../../../core/scope.ts';
import type { Fact, Facts, Recalled } from '../answers.ts';
import { type Answer, path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { Ago, Body, Empty, Field, FilterText, type Html, Panel, Part, Pill, Select, Table } from '../parts.tsx';
import { count, nodeName } from '../words.ts';

const PER_PAGE = 50;
const TEXTS = ['entity', 'relation', 'source', 'garden_id'] as const;
const FLAGS = [
  ['include_contradicted', 'contradicted'],
  ['include_expired', 'expired'],
  ['include_quarantined', 'held for review'],
] as const;

/** Adds the search for facts. */
export function addFacts(desk: Desk): void {
  desk.show('/console/facts', factsPage);
}

async function factsPage({ frame, query }: Visit): Promise<Shown> {
  const given = new URLSearchParams({ limit: String(PER_PAGE) });
  for (const name of [...TEXTS, 'scope', ...FLAGS.map(([flag]) => flag), 'cursor'])
    if (query(name).trim() !== '') given.set(name, query(name).trim());
  const id = query('id').trim();
  const words = query('words').trim();
  const facts =
    words === ''
      ? await frame.ask.get<Facts>(`/v1/facts?${given}`)
      : await byWords(frame, words, query('scope') === '' ? DEFAULT_SCOPE : query('scope'));
  const html = (
    <Page
      frame={frame}
      at="/console/facts"
      title="Facts"
      lede="What this node holds and shows. Each fact has its proof on its own page."
    >
      <div class="stack">
        <Panel title="Search">
          <Body>
            <div class="stack">
              <Search query={query} seesHeld={frame.ask.may('review')} />
              <form method="get" action="/console/facts" class="filters">
                <Field label="Or by words, the best match first" grow>
                  <input name="words" value={words} required maxlength={1000} autocomplete="off" />
                </Field>
                <Field label="In scope">
                  <Select
                    name="scope"
                    value={query('scope') === '' ? DEFAULT_SCOPE : query('scope')}
                    options={SCOPES.map((one) => [one, one] as const)}
                  />
                </Field>
                <button type="submit">Find</button>
              </form>
              <form method="get" action="/console/facts/by-id" class="filters">
                <Field label="Or one fact, by id or CID" grow>
                  <input name="id" value={id} required autocomplete="off" spellcheck={false} />
                </Field>
                <button type="submit">Open</button>
              </form>
            </div>
          </Body>
        </Panel>
        <Panel title="Facts" aside={facts.ok ? `${count(facts.value.total)} match` : ''}>
          <Part answer={facts} show={(page) => <Found page={page} given={given} nowMs={frame.nowMs} />} />
        </Panel>
      </div>
    </Page>
  );
  return { status: facts.ok ? 200 : facts.status, html };
}

const DEFAULT_SCOPE = 'public';
/** All that recall takes, so that what is cut is the number of facts and not their length. */
const TOKENS = 200_000;

async function byWords({ ask }: Frame, query: string, scope: string): Promise<Answer<Facts>> {
  const body = { query, scope, token_budget: TOKENS, limit: PER_PAGE };
  const answer = await ask.post<Recalled>('/v1/recall', body);
  if (!answer.ok) return answer;
  const facts = answer.value.facts.map(({ fact }) => fact);
  return { ok: true, status: answer.status, value: { facts, total: facts.length, cursor: null } };
}

function Search({ query, seesHeld }: { query: Visit['query']; seesHeld: boolean }): Html {
  return (
    <form method="get" action="/console/facts" class="filters">
      {TEXTS.map((name, i) => (
        <FilterText name={name} label={name.replace('_id', '')} value={query(name)} isFirst={i === 0} />
      ))}
      <Field label="scope">
        <Select
          name="scope"
          value={query('scope')}
          options={[['', 'any'], ...SCOPES.map((one) => [one, one] as const)]}
        />
      </Field>
      {FLAGS.filter(([flag]) => seesHeld || flag !== 'include_quarantined').map(([flag, label]) => (
        <label class="check">
          <input type="checkbox" name={flag} value="true" checked={query(flag) === 'true'} />
          {label}
        </label>
      ))}
      <button class="main" type="submit">
        Search
      </button>
    </form>
  );
}

function Found({ page, given, nowMs }: { page: Facts; given: URLSearchParams; nowMs: number }): Html {
  if (page.facts.length === 0) return <Empty>No fact matches.</Empty>;
  const next = new URLSearchParams(given);
  if (page.cursor !== null) next.set('cursor', page.cursor);
  return (
    <>
      <Table
        label="Facts found"
        columns={[
          { name: 'Entity' },
          { name: 'Relation' },
          { name: 'Value' },
          { name: 'Source' },
          { name: 'Scope' },
          { name: 'Asserted' },
        ]}
      >
        {page.facts.map((fact) => (
          <tr data-row="">
            <th scope="row" class="wrap">
              <a href={path`/console/facts/${fact.id}`} title={fact.entity}>
                {nodeName(fact.entity)}
              </a>
            </th>
            <td class="wrap">{fact.relation}</td>
            <td class="wrap">
              {clipped(fact)}
              <Marks fact={fact} />
            </td>
            <td class="wrap" title={fact.source}>
              {nodeName(fact.source)}
            </td>
            <td>{fact.scope}</td>
            <td>
              <Ago at={fact.timestamp} nowMs={nowMs} />
            </td>
          </tr>
        ))}
      </Table>
      {page.cursor === null ? null : (
        <div class="body">
          <a class="button" href={`/console/facts?${next}`}>
            Older facts
          </a>
        </div>
      )}
    </>
  );
}

const MOST_CHARS = 120;

function clipped({ value }: Fact): string {
  const text = valueText(value);
  return text.length <= MOST_CHARS ? text : `${text.slice(0, MOST_CHARS)}…`;
}

export function valueText({ v }: Fact['value']): string {
  return typeof v === 'string' ? v : JSON.stringify(v);
}

export function Marks({ fact }: { fact: Fact }): Html {
  const { contradicted, quarantine_status: held } = fact;
  return (
    <>
      {contradicted ? <Pill tone="medium">contradicted</Pill> : null}{' '}
      {held === null ? null : <Pill tone="high">{held}</Pill>}
    </>
  );
}
