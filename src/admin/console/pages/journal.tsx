import { plural } from '../../../core/plural.ts';
import type { AnchorsAnswer } from '../../api/anchors.ts';
import type { HeadAnswer } from '../../api/journal.ts';
import type { ChecksAnswer } from '../../api/journal-checks.ts';
import type { WitnessAnswer } from '../../api/witness.ts';
import type { AuditPage } from '../answers.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { Page } from '../layout.tsx';
import { Ago, Body, Empty, type Html, Pairs, Panel, Part, Pill, Short, Table } from '../parts.tsx';
import { count } from '../words.ts';
import { addCheckActions, Checks } from './journal-checks.tsx';
import { RecordTable } from './records.tsx';

/** Adds the page of the two logs: where they stand, and who else has seen it. */
export function addJournal(desk: Desk): void {
  desk.show('/console/journal', journalPage);
  addCheckActions(desk);
}

async function journalPage({ frame }: Visit): Promise<Shown> {
  const { ask, nowMs } = frame;
  const [head, anchors, witness, damage, checks] = await Promise.all([
    ask.get<HeadAnswer>('/v1/journal/head'),
    ask.get<AnchorsAnswer>('/v1/anchors?limit=12'),
    ask.get<WitnessAnswer>('/v1/witness'),
    ask.get<AuditPage>('/v1/federation/audit?limit=10&event_type=journal_verification_failed'),
    ask.get<ChecksAnswer>('/v1/journal/checks?limit=10'),
  ]);
  const html = (
    <Page
      frame={frame}
      at="/console/journal"
      title="Journal"
      lede="One log of facts, one of what was refused and decided. What is signed here cannot be taken back unseen."
      aside={
        ask.mayAny(['federate', 'audit.read']) ? (
          <a class="button" href="/console/records">
            Audit records
          </a>
        ) : null
      }
    >
      <div class="grid">
        <div class="stack w6">
          <Panel title="Head" live="head">
            <Part answer={head} show={(one) => <Heads head={one} />} />
          </Panel>
          <Panel title="Feeds" live="feeds">
            <Part
              answer={head}
              show={({ feeds }) =>
                feeds.length === 0 ? (
                  <Empty>No feed has an entry yet.</Empty>
                ) : (
                  <Table label="Feeds" columns={[{ name: 'Feed' }, { name: 'Entries', num: true }]}>
                    {feeds.map(({ feed, length }) => (
                      <tr>
                        <th scope="row" class="wrap">
                          {feed}
                        </th>
                        <td class="num">{count(length)}</td>
                      </tr>
                    ))}
                  </Table>
                )
              }
            />
          </Panel>
        </div>
        <div class="stack w6">
          <Panel title="Witnesses" live="witnesses">
            <Part answer={witness} show={(one) => <Witnesses witness={one} nowMs={nowMs} />} />
          </Panel>
          <Panel title="Anchors" live="journal-anchors">
            <Part answer={anchors} show={(one) => <AnchorList anchors={one} nowMs={nowMs} />} />
          </Panel>
        </div>
        <Checks checks={checks} frame={frame} />
        <Panel title="Rows that differed" aside="each row is checked whenever it is read">
          <Part
            answer={damage}
            show={({ entries }) =>
              entries.length === 0 ? (
                <Empty>No row that was read differed from what was appended.</Empty>
              ) : (
                <RecordTable entries={entries} nowMs={nowMs} />
              )
            }
          />
        </Panel>
      </div>
    </Page>
  );
  return { html };
}

function Heads({ head }: { head: HeadAnswer }): Html {
  return (
    <>
      <Body>
        <Pairs
          pairs={[
            ['Origin', <code class="wrap">{head.origin}</code>],
            ['Entries', count(head.size)],
            ['Root', <code class="wrap">{head.root}</code>],
            ['Chain', <Short text={head.chain_hash ?? '–'} />],
            ['Audit records', count(head.audit.size)],
            ['Queries behind', count(head.projection_lag)],
          ]}
        />
      </Body>
      <details class="more">
        <summary>Signed notes</summary>
        <div class="stack">
          <pre tabindex={0} aria-label="Checkpoint of the journal">
            {head.checkpoint}
          </pre>
          <pre tabindex={0} aria-label="Checkpoint of the audit log">
            {head.audit.checkpoint}
          </pre>
        </div>
      </details>
    </>
  );
}

function Witnesses({ witness, nowMs }: { witness: WitnessAnswer; nowMs: number }): Html {
  const { policy, cosignatures, logs, size } = witness;
  return (
    <>
      <Body>
        <Pairs
          pairs={[
            [
              'Policy',
              policy === null ? (
                'none is set'
              ) : (
                <>
                  <Pill tone={policy.met ? 'good' : 'high'}>{policy.met ? 'met' : 'not met'}</Pill>{' '}
                  {policy.missing.length === 0 ? '' : `missing ${policy.missing.join(', ')}`}
                </>
              ),
            ],
            ['Our newest', plural(size, 'entry', 'entries')],
          ]}
        />
      </Body>
      {cosignatures.length === 0 ? (
        <Empty>Nobody has cosigned it yet.</Empty>
      ) : (
        <Table label="Cosignatures" columns={[{ name: 'Cosigned by' }, { name: 'When' }]}>
          {cosignatures.map(({ witness: name, time }) => (
            <tr>
              <th scope="row" class="wrap">
                {name}
              </th>
              <td>
                <Ago at={time} nowMs={nowMs} />
              </td>
            </tr>
          ))}
        </Table>
      )}
      {logs.length === 0 ? null : (
        <Table
          label="Logs that this node judges"
          columns={[
            { name: 'Log' },
            { name: 'Verified', num: true },
            { name: 'Cosigned', num: true },
            { name: 'Seen elsewhere', num: true },
            { name: 'Open' },
          ]}
        >
          {logs.map((log) => (
            <tr>
              <th scope="row" class="wrap">
                {log.origin}
              </th>
              <td class="num">{log.verified_size === null ? '–' : count(log.verified_size)}</td>
              <td class="num">{log.cosigned_size === null ? '–' : count(log.cosigned_size)}</td>
              <td class="num">{log.seen_size === null ? '–' : count(log.seen_size)}</td>
              <td>
                {log.unreconciled === 0 ? 'none' : <Pill tone="medium">{`${log.unreconciled} unreconciled`}</Pill>}
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}

function AnchorList({ anchors, nowMs }: { anchors: AnchorsAnswer; nowMs: number }): Html {
  if (anchors.backends.length === 0) return <Empty>No transparency log is configured.</Empty>;
  return (
    <>
      <Body>
        <Pairs pairs={anchors.backends.map(({ backend, sentence }) => [backend, sentence] as const)} />
      </Body>
      {anchors.anchors.length === 0 ? null : (
        <Table
          label="Anchored checkpoints"
          columns={[{ name: 'Log' }, { name: 'Entries', num: true }, { name: 'Where' }, { name: 'When' }]}
        >
          {anchors.anchors.map((one) => (
            <tr>
              <th scope="row">{one.log}</th>
              <td class="num">{count(one.tree_size)}</td>
              <td class="wrap">
                {one.status === 'pending' ? (
                  <Pill tone="medium">waits</Pill>
                ) : (
                  one.receipts.map(({ backend, log_index }) => `${backend} ${log_index}`).join(', ')
                )}
              </td>
              <td>
                <Ago at={one.created_at} nowMs={nowMs} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </>
  );
}
