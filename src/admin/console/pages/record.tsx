import type { AuditDetail } from '../answers.ts';
import { type Answer, path } from '../ask.ts';
import type { Shown, Visit } from '../desk.ts';
import { Page } from '../layout.tsx';
import { Body, Code, type Html, Pairs, Panel, Pill, SeverityPill } from '../parts.tsx';
import { instantText } from '../words.ts';
import { Evidence } from './evidence.tsx';
import { missing } from './missing.tsx';
import { recordTitle } from './record-title.ts';

/** One record of the audit log: what it says, and its evidence. */
export async function recordPage({ frame, param }: Visit): Promise<Shown> {
  const found: Answer<AuditDetail> = await frame.ask.get(path`/v1/federation/audit/${param('seq')}`);
  if (!found.ok) return missing(frame, '/console/journal', found);
  const { record } = found.value;
  const html = (
    <Page
      frame={frame}
      at="/console/journal"
      crumb={['/console/records', 'Audit records']}
      title={recordTitle(record)}
      lede={`Record ${record.seq}, ${instantText(record.ts)}`}
      aside={<SeverityPill severity={record.severity} />}
    >
      <div class="grid">
        <div class="stack w5">
          <What detail={found.value} />
        </div>
        <div class="stack w7">
          <Evidence detail={found.value} />
        </div>
      </div>
    </Page>
  );
  return { html };
}

function What({ detail: { record, intact } }: { detail: AuditDetail }): Html {
  return (
    <Panel title="Record">
      <Body>
        <Pairs
          pairs={[
            ['Event', <Code>{record.event_type}</Code>],
            ['Reason', record.reason === null ? '–' : <Code>{record.reason}</Code>],
            [
              'Peer',
              record.peer_id === null ? '–' : <a href={path`/console/peers/${record.peer_id}`}>{record.peer_id}</a>,
            ],
            ['Feed', record.feed ?? '–'],
            ['Fact', record.fact_id === null ? '–' : <Code>{record.fact_id}</Code>],
            ['CID', record.cid === null ? '–' : <Code>{record.cid}</Code>],
            ['By', record.actor ?? '–'],
            ['Evidence', record.evidence === null ? 'none' : <Code>{record.evidence}</Code>],
            ['Record before', record.previous_hash === null ? '–' : <Code>{record.previous_hash}</Code>],
            [
              'Stored',
              <Pill tone={intact ? 'good' : 'critical'}>{intact ? 'as it was written' : 'not what was written'}</Pill>,
            ],
          ]}
        />
      </Body>
      <details class="more">
        <summary>Detail</summary>
        <pre tabindex={0} aria-label="Detail of the record">
          {JSON.stringify(record.detail, null, 2)}
        </pre>
      </details>
    </Panel>
  );
}
