import { OPEN_STATES } from '../../../core/case-state.ts';
import type { PeerStatus } from '../../../core/peer-status.ts';
import { plural } from '../../../core/plural.ts';
import { SEVERITIES, type Severity } from '../../../core/severity.ts';
import type { AnchorsAnswer } from '../../api/anchors.ts';
import type { HeadAnswer } from '../../api/journal.ts';
import type { ReadinessAnswer } from '../../api/node.ts';
import type { SigningKeysAnswer } from '../../api/signing-keys.ts';
import type { WitnessAnswer } from '../../api/witness.ts';
import type { CaseCounts, Cases, Facts, Peers } from '../answers.ts';
import { type Answer, path } from '../ask.ts';
import type { Desk, Shown, Visit } from '../desk.ts';
import { type Frame, Page } from '../layout.tsx';
import { Mesh, stateText, theyHold, toneOf } from '../mesh.tsx';
import { Ago, Body, Empty, type Html, Panel, Part, Pill, SeverityPill, Table } from '../parts.tsx';
import { count, skewText } from '../words.ts';
import { CaseTable, SEES_CASES } from './cases.tsx';

const PACE_S = 60;
const RECENT = 8;

/** Adds the first page: how the mesh is, and what asks for somebody. */
export function addOverview(desk: Desk): void {
  desk.show('/console', overview);
}

interface Seen {
  readonly frame: Frame;
  readonly ready: Answer<ReadinessAnswer>;
  readonly head: Answer<HeadAnswer>;
  readonly peers: Answer<Peers>;
  readonly witness: Answer<WitnessAnswer>;
  readonly keys: Answer<SigningKeysAnswer>;
  readonly anchors: Answer<AnchorsAnswer>;
  readonly pace: Answer<Facts>;
  readonly counts: Answer<CaseCounts>;
  readonly cases: Answer<Cases>;
}

async function overview({ frame }: Visit): Promise<Shown> {
  const { ask, nowMs } = frame;
  const minuteAgo = new Date(nowMs - PACE_S * 1_000).toISOString();
  const [ready, head, peers, witness, keys, anchors, pace, counts, cases] = await Promise.all([
    ask.get<ReadinessAnswer>('/readyz'),
    ask.get<HeadAnswer>('/v1/journal/head'),
    ask.get<Peers>('/v1/federation/peers'),
    ask.get<WitnessAnswer>('/v1/witness'),
    ask.get<SigningKeysAnswer>('/v1/keys'),
    ask.get<AnchorsAnswer>('/v1/anchors?limit=5'),
    ask.get<Facts>(path`/v1/facts?limit=1&include_contradicted=true&include_expired=true&after=${minuteAgo}`),
    ask.get<CaseCounts>('/v1/cases/counts'),
    ask.get<Cases>(path`/v1/cases?state=open&limit=${RECENT}`),
  ]);
  const seen: Seen = { frame, ready, head, peers, witness, keys, anchors, pace, counts, cases };
  // What the key may not see, the page does not speak of.
  const sees = ask.mayAny(SEES_CASES);
  const html = (
    <Page frame={frame} at="/console" title="Overview" lede={ledeOf(seen)}>
      <div class="stack">
        <Tiles {...seen} />
        <div class="grid">
          <div class="stack w8">{ask.may('federate') ? <MeshPanel {...seen} /> : null}</div>
          <div class="stack w4">
            {sees ? <Severities {...seen} /> : null}
            <AnchorPanel {...seen} />
          </div>
        </div>
        {sees ? <Recent {...seen} /> : null}
      </div>
    </Page>
  );
  return { html };
}

function ledeOf({ ready }: Seen): string {
  if (ready.ok) return ['This node does its work.', ...ready.value.notices].join(' ');
  return 'This node is not ready: see Keys & settings for what fails.';
}

function Tiles({ head, peers, anchors, witness, pace, keys, ready }: Seen): Html {
  const current = peers.ok ? peers.value.peers.filter(({ state }) => state === 'current').length : 0;
  const pending = anchors.ok ? anchors.value.backends.reduce((sum, one) => sum + one.pending, 0) : 0;
  const nearest = keys.ok ? nearestEnd(keys.value) : null;
  return (
    <div class="tiles" id="tiles" data-live="">
      <Tile
        label="State"
        value={ready.ok ? 'Ready' : 'Not ready'}
        tone={ready.ok ? 'good' : 'critical'}
        note={checksText(ready)}
      />
      <Tile label="Journal" value={head.ok ? count(head.value.size) : '–'} note="entries" />
      <Tile
        label="Facts, last minute"
        value={pace.ok ? (pace.value.total / PACE_S).toFixed(pace.value.total >= 600 ? 0 : 1) : '–'}
        note={pace.ok ? `per second, ${count(pace.value.total)} in all` : 'not shown'}
      />
      <Tile
        label="Peers current"
        value={peers.ok ? `${current} / ${peers.value.peers.length}` : '–'}
        note={peers.ok ? worstLag(peers.value.peers) : 'not shown'}
      />
      <Tile
        label="Anchors"
        value={
          anchors.ok ? (anchors.value.backends.length === 0 ? 'none' : pending === 0 ? 'all in' : count(pending)) : '–'
        }
        note={
          anchors.ok && anchors.value.backends.length > 0
            ? pending === 0
              ? 'nothing waits'
              : 'waiting'
            : 'no log configured'
        }
        tone={pending > 0 ? 'medium' : ''}
      />
      <Tile label="Witnesses" {...witnessTile(witness)} />
      <Tile
        label="Next key to end"
        value={nearest === null ? 'none' : `${nearest} d`}
        note={nearest === null ? 'no key has an end' : 'days left'}
        tone={nearest !== null && nearest <= 14 ? 'high' : ''}
      />
    </div>
  );
}

function Tile({ label, value, note, tone = '' }: { label: string; value: string; note: string; tone?: string }): Html {
  return (
    <div class="tile">
      <div class="label">{label}</div>
      <div class={`value ${tone}`}>{value}</div>
      <div class="muted small">{note}</div>
    </div>
  );
}

function checksText(ready: Answer<ReadinessAnswer>): string {
  return ready.ok ? `${plural(ready.value.checks.length, 'check')} passed` : 'a check fails';
}

function witnessTile(witness: Answer<WitnessAnswer>): { value: string; note: string; tone: string } {
  if (!witness.ok) return { value: '–', note: 'not shown', tone: '' };
  const { policy, cosignatures, size } = witness.value;
  const note = `${plural(cosignatures.length, 'cosignature')} at ${count(size)}`;
  if (policy === null) return { value: count(cosignatures.length), note, tone: '' };
  return { value: policy.met ? 'met' : 'unmet', note, tone: policy.met ? '' : 'high' };
}

function worstLag(peers: readonly PeerStatus[]): string {
  const lag = Math.max(0, ...peers.map(({ lag_entries }) => lag_entries ?? 0));
  return lag === 0 ? 'none is behind' : `worst ${plural(lag, 'entry', 'entries')} behind`;
}

function nearestEnd({ keys }: SigningKeysAnswer): number | null {
  const days = keys.flatMap(({ days_left, state }) => (days_left === null || state === 'replaced' ? [] : [days_left]));
  return days.length === 0 ? null : Math.min(...days);
}

function MeshPanel({ frame, peers, head, witness, keys }: Seen): Html {
  const { nowMs, node } = frame;
  const shownWitness = witness.ok ? witness.value : null;
  return (
    <Panel title="Mesh" aside="as this node sees it" live="mesh">
      <Part
        answer={peers}
        show={({ peers: all }) =>
          all.length === 0 ? (
            <Empty>
              No partners yet. Make a code with <code>stigmem-peerd peer invite</code>, or on the page Peers.
            </Empty>
          ) : (
            <>
              <section class="body scroll" tabindex={0} aria-label="Picture of the mesh">
                <div class="mesh-wide">
                  <Mesh
                    self={node.nodeId}
                    size={head.ok ? head.value.size : null}
                    peers={all}
                    witness={shownWitness}
                    nowMs={nowMs}
                  />
                </div>
              </section>
              <Table
                label="Peers"
                columns={[
                  { name: 'Peer' },
                  { name: 'State' },
                  { name: 'We hold', num: true },
                  { name: 'They hold' },
                  { name: 'Behind', num: true },
                  { name: 'Skew', num: true },
                  { name: 'Keys', num: true },
                  { name: 'Last contact' },
                ]}
              >
                {all.map((peer) => (
                  <tr data-row="">
                    <th scope="row">
                      <a href={path`/console/peers/${peer.name}`}>{peer.name}</a>
                    </th>
                    <td>
                      <Pill tone={toneOf(peer)}>{stateText(peer)}</Pill>
                    </td>
                    <td class="num">{peer.checkpoint === null ? '–' : count(peer.checkpoint.size)}</td>
                    <td class="nowrap">{theyHold(peer, shownWitness, nowMs).replace('holds ', '')}</td>
                    <td class="num">{peer.lag_entries === null ? '–' : count(peer.lag_entries)}</td>
                    <td class="num nowrap">{skewText(peer.clock_skew_ms)}</td>
                    <td class="num nowrap">{keysText(keys, peer.node_id)}</td>
                    <td>
                      <Ago at={peer.last_contact_at} nowMs={nowMs} />
                    </td>
                  </tr>
                ))}
              </Table>
            </>
          )
        }
      />
    </Panel>
  );
}

function keysText(keys: Answer<SigningKeysAnswer>, nodeId: string): string {
  if (!keys.ok) return '–';
  const left = nearestEnd({ keys: keys.value.keys.filter(({ node_id }) => node_id === nodeId) });
  return left === null ? 'no end' : `${left} d`;
}

const TONE: Readonly<Record<Severity, string>> = {
  critical: 'critical',
  high: 'high',
  medium: 'medium',
  low: 'low',
  info: 'muted',
};

function Severities({ counts }: Seen): Html {
  return (
    <Panel title="Open cases" aside="by severity" live="severities">
      <Part
        answer={counts}
        show={({ counts: all }) => {
          const shown = SEVERITIES.filter((one) => one !== 'info').toReversed();
          const open = all.filter(({ state }) => OPEN_STATES.includes(state));
          const numbers = shown.map((one) =>
            open.filter(({ severity }) => severity === one).reduce((sum, { count: n }) => sum + n, 0),
          );
          const most = Math.max(1, ...numbers);
          return (
            <Body>
              <div class="severities">
                {shown.map((severity, i) => (
                  <a href={path`/console/cases?state=open&severity=${severity}`}>
                    <SeverityPill severity={severity} />
                    <svg class={TONE[severity]} viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">
                      <rect class="bar-back" width="100" height="8" rx="2" />
                      <rect class="bar" width={((numbers[i] ?? 0) / most) * 100} height="8" rx="2" />
                    </svg>
                    <span class="num">{count(numbers[i] ?? 0)}</span>
                  </a>
                ))}
              </div>
            </Body>
          );
        }}
      />
    </Panel>
  );
}

function AnchorPanel({ anchors, frame }: Seen): Html {
  return (
    <Panel title="Anchors" aside={<a href="/console/journal">Journal</a>} live="anchors">
      <Part
        answer={anchors}
        show={({ backends, anchors: newest }) =>
          backends.length === 0 ? (
            <Empty>No transparency log is configured: nothing outside this node holds its checkpoints.</Empty>
          ) : (
            <Table label="Transparency logs" columns={[{ name: 'Log' }, { name: 'State' }, { name: 'Newest' }]}>
              {backends.map(({ backend, pending, sentence }) => (
                <tr>
                  <th scope="row">{backend}</th>
                  <td>
                    <span class={pending > 0 ? 'medium' : ''}>{sentence}</span>
                  </td>
                  <td>
                    <Ago at={newest[0]?.created_at ?? null} nowMs={frame.nowMs} />
                  </td>
                </tr>
              ))}
            </Table>
          )
        }
      />
    </Panel>
  );
}

function Recent({ cases, frame }: Seen): Html {
  return (
    <Panel title="Newest open cases" aside={<a href="/console/cases">All cases</a>} live="recent">
      <Part
        answer={cases}
        show={({ cases: open }) =>
          open.length === 0 ? (
            <Empty>Nothing asks for anybody.</Empty>
          ) : (
            <CaseTable cases={open} nowMs={frame.nowMs} picks={false} />
          )
        }
      />
    </Panel>
  );
}
