/** Erasures: what was asked for, what is in its undo window, what is gone, and who has said so. */

import { erasureSentence } from '../../../core/erasure-state.ts';
import { plural } from '../../../core/plural.ts';
import type { ErasureView } from '../../../journal/erasure-views.ts';
import type { AuditPage, Erasures } from '../answers.ts';
import { path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { Ago, Body, Empty, type Html, Panel, Part, Short, Table, Until } from '../parts.tsx';
import { count, nodeName } from '../words.ts';
import { addErasure } from './erasure.tsx';
import { ErasureState } from './erasure-state.tsx';

const ERASURES = '/console/erasures';
const PER_PAGE = 100;

/** Adds the list of erasures, and the page of each. */
export function addErasures(desk: Desk): void {
  desk.show(ERASURES, listPage);
  addErasure(desk);
}

async function listPage({ frame, query }: Visit): Promise<Shown> {
  const given = new URLSearchParams({ limit: String(PER_PAGE) });
  if (query('cursor') !== '') given.set('cursor', query('cursor'));
  const [list, alarms] = await Promise.all([
    frame.ask.get<Erasures>(`/v1/tombstones?${given}`),
    frame.ask.get<AuditPage>('/v1/federation/audit?event_type=mass_deletion&limit=3'),
  ]);
  const html = (
    <Page
      frame={frame}
      at={ERASURES}
      title="Erasures"
      lede="Facts whose bodies their author wants gone: hidden at once, erased when a window is over, and who has signed that it was done."
    >
      <div class="stack">
        {alarms.ok && alarms.value.entries.length > 0 ? <Alarms records={alarms.value} nowMs={frame.nowMs} /> : null}
        <Part answer={list} show={(page) => <Counts list={page} />} />
        <Panel
          title="Erasures"
          aside={list.ok ? plural(list.value.tombstones.length, 'fact') + (list.value.has_more ? ' and more' : '') : ''}
          live="erasures"
        >
          <Part answer={list} show={(page) => <List list={page} frame={frame} />} />
        </Panel>
      </div>
    </Page>
  );
  return { status: list.ok ? 200 : list.status, html };
}

function Alarms({ records: { entries }, nowMs }: { records: AuditPage; nowMs: number }): Html {
  return (
    <Panel title="Alarm: many at once" aside="more in an hour than tombstones.max_per_hour">
      <Table label="Alarms" columns={[{ name: 'Record', num: true }, { name: 'Whose' }, { name: 'When' }]}>
        {entries.map(({ peer_id, seq, ts }) => (
          <tr>
            <th scope="row" class="num">
              <a href={path`/console/records/${seq}`}>{seq}</a>
            </th>
            <td class="wrap">{peer_id ?? 'of this node’s own people'}</td>
            <td>
              <Ago at={ts} nowMs={nowMs} />
            </td>
          </tr>
        ))}
      </Table>
    </Panel>
  );
}

const GROUPS: readonly (readonly [label: string, note: string, states: readonly string[]])[] = [
  ['In a window', 'can be undone or held', ['requested', 'received', 'released']],
  ['Stopped', 'too many came at once', ['stopped']],
  ['Held', 'kept for a legal reason', ['held']],
  ['Being erased', 'nothing takes it back', ['issued', 'erased']],
  ['Erased', 'the body is gone', ['scrubbed', 'told', 'absent']],
];

/** Of the page that is shown; older ones are behind it. */
function Counts({ list: { tombstones } }: { list: Erasures }): Html | null {
  if (tombstones.length === 0) return null;
  return (
    <div class="tiles" id="erasure-counts" data-live="">
      {GROUPS.map(([label, note, states]) => {
        const number = tombstones.filter(({ state }) => states.includes(state)).length;
        return (
          <div class="tile">
            <div class="label">{label}</div>
            <div class={`value ${label === 'Stopped' && number > 0 ? 'critical' : ''}`}>{count(number)}</div>
            <div class="muted small">{note}</div>
          </div>
        );
      })}
    </div>
  );
}

function List({ list: { tombstones, cursor }, frame }: { list: Erasures; frame: Frame }): Html {
  if (tombstones.length === 0)
    return (
      <Empty>
        Nobody has asked for one. A fact of this node is erased from its own page, or with{' '}
        <code>stigmem-peerd tombstone add</code>.
      </Empty>
    );
  return (
    <>
      <Table
        label="Erasures"
        columns={[
          { name: 'Fact' },
          { name: 'State' },
          { name: 'What follows' },
          { name: 'Author' },
          { name: 'Place' },
          { name: 'Since' },
          { name: 'Next step' },
        ]}
      >
        {tombstones.map((one) => (
          <Row one={one} frame={frame} />
        ))}
      </Table>
      {cursor === null ? null : (
        <Body>
          <a class="button" href={`${ERASURES}?cursor=${encodeURIComponent(cursor)}`}>
            Older ones
          </a>
        </Body>
      )}
    </>
  );
}

function Row({ one, frame }: { one: ErasureView; frame: Frame }): Html {
  return (
    <tr data-row="" data-key={one.id}>
      <th scope="row">
        <a href={path`/console/erasures/${one.fact}`}>
          <Short text={one.fact} />
        </a>
      </th>
      <td>
        <ErasureState state={one.state} />
      </td>
      <td class="wrap">{erasureSentence(one.state)}</td>
      <td class="wrap">{one.author === frame.node.nodeId ? 'this node' : nodeName(one.author)}</td>
      <td class="wrap">
        {one.feed} {count(one.feed_seq)}
      </td>
      <td>
        <Ago at={one.since} nowMs={frame.nowMs} />
      </td>
      <td>{one.due_at === null ? '–' : <Until at={one.due_at} nowMs={frame.nowMs} />}</td>
    </tr>
  );
}
