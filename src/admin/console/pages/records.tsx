import { SEVERITIES } from '../../../core/severity.ts';
import type { AuditEntry } from '../../api/audit-entry.ts';
import type { AuditPage } from '../answers.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { handedOn } from '../headers.ts';
import { Page } from '../layout.tsx';
import {
  Ago,
  Body,
  Empty,
  Field,
  FilterText,
  type Html,
  Panel,
  Part,
  Pill,
  Select,
  SeverityPill,
  Table,
} from '../parts.tsx';
import { recordPage } from './record.tsx';
import { recordTitle } from './record-title.ts';

const PER_PAGE = 50;
const TEXTS = [
  ['peer_id', 'Peer'],
  ['event_type', 'Event'],
  ['reason', 'Reason'],
  ['feed', 'Feed'],
  ['fact_id', 'Fact id'],
] as const;

/** Adds the audit log: its records by filter, each with its evidence. */
export function addRecords(desk: Desk): void {
  desk.show('/console/records', listPage);
  desk.show('/console/records/:seq', recordPage);
  desk.give('/console/records/:seq/evidence', async ({ frame, param, query }) => {
    const withPage = query('page') === 'true' ? '?page=true' : '';
    return handedOn(await frame.ask.raw(path`/v1/federation/audit/${param('seq')}/evidence` + withPage));
  });
}

async function listPage({ frame, query }: Visit): Promise<Shown> {
  const given = new URLSearchParams({ limit: String(PER_PAGE) });
  for (const name of [...TEXTS.map(([text]) => text), 'min_severity', 'cursor'])
    if (query(name).trim() !== '') given.set(name, query(name).trim());
  const records = await frame.ask.get<AuditPage>(`/v1/federation/audit?${given}`);
  const html = (
    <Page
      frame={frame}
      at="/console/journal"
      crumb={['/console/journal', 'Journal']}
      title="Audit records"
      lede="What this node refused, accepted with reserve, and decided: append-only, each record chained to the one before."
    >
      <div class="stack">
        <form method="get" action="/console/records" class="filters">
          {TEXTS.map(([name, label], i) => (
            <FilterText name={name} label={label} value={query(name)} isFirst={i === 0} />
          ))}
          <Field label="At least">
            <Select
              name="min_severity"
              value={query('min_severity')}
              options={[['', 'any severity'], ...SEVERITIES.map((one) => [one, one] as const)]}
            />
          </Field>
          <button class="main" type="submit">
            Filter
          </button>
        </form>
        <Panel title="Records" live="records">
          <Part
            answer={records}
            show={({ entries, cursor, has_more }) => (
              <>
                {entries.length === 0 ? (
                  <Empty>
                    {has_more ? 'No record matches among those that were looked at.' : 'No record matches.'}
                  </Empty>
                ) : (
                  <RecordTable entries={entries} nowMs={frame.nowMs} />
                )}
                {has_more && cursor !== null ? <Older given={given} cursor={cursor} /> : null}
              </>
            )}
          />
        </Panel>
      </div>
    </Page>
  );
  return { status: records.ok ? 200 : records.status, html };
}

function Older({ given, cursor }: { given: URLSearchParams; cursor: string }): Html {
  const next = new URLSearchParams(given);
  next.set('cursor', cursor);
  return (
    <Body>
      <a class="button" href={`/console/records?${next}`}>
        Older records
      </a>
    </Body>
  );
}

export function RecordTable({ entries, nowMs }: { entries: readonly AuditEntry[]; nowMs: number }): Html {
  return (
    <Table
      label="Audit records"
      columns={[
        { name: 'Seq', num: true },
        { name: 'Severity' },
        { name: 'What' },
        { name: 'Peer' },
        { name: 'Feed' },
        { name: 'By' },
        { name: 'When' },
      ]}
    >
      {entries.map((record) => (
        <tr data-row="" data-key={record.seq}>
          <td class="num muted">{record.seq}</td>
          <td>
            <SeverityPill severity={record.severity} />
          </td>
          <th scope="row">
            <a href={path`/console/records/${record.seq}`}>{recordTitle(record)}</a>{' '}
            {record.is_drill ? <Pill tone="accent">drill</Pill> : null}
          </th>
          <td class="wrap">{record.peer_id ?? '–'}</td>
          <td class="wrap">{record.feed ?? '–'}</td>
          <td class="wrap">{record.actor ?? '–'}</td>
          <td>
            <Ago at={record.ts} nowMs={nowMs} />
          </td>
        </tr>
      ))}
    </Table>
  );
}
