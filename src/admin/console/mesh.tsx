/** The mesh as this node sees it, drawn on the server: who holds whose head, and how far behind. */

import type { PeerStatus } from '../../core/peer-status.ts';
import { plural } from '../../core/plural.ts';
import type { WitnessAnswer } from '../api/witness.ts';
import type { Html, Tone } from './parts.tsx';
import { agoText, count, nodeName } from './words.ts';

const WIDTH = 720;
const BOX = { width: 176, height: 62 };
const ROW = 84;
/** Beyond these the picture says less than the table below it. */
export const MAX_DRAWN = 12;

export interface MeshProps {
  readonly self: string;
  readonly size: number | null;
  readonly peers: readonly PeerStatus[];
  readonly witness: WitnessAnswer | null;
  readonly nowMs: number;
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Peers stand in a column on either side, this node between them. */
export function Mesh({ self, size, peers, witness, nowMs }: MeshProps): Html {
  const drawn = peers.slice(0, MAX_DRAWN);
  const rows = Math.max(1, Math.ceil(drawn.length / 2));
  const height = rows * ROW + 24;
  const center: Place = { x: WIDTH / 2, y: height / 2 };
  const places = drawn.map((_, i) => placeOf(i, drawn.length, height));
  return (
    <svg
      class="picture"
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="group"
      aria-labelledby="mesh-title"
      aria-describedby="mesh-desc"
    >
      <title id="mesh-title">Mesh as {nodeName(self)} sees it</title>
      <desc id="mesh-desc">{drawn.map((peer) => sentenceOf(peer)).join(' ')}</desc>
      {drawn.map((peer, i) => (
        <Edge peer={peer} from={center} to={places[i] ?? center} />
      ))}
      <rect class="node self" x={center.x - 84} y={center.y - 31} width="168" height="62" rx="9" />
      <text class="t-strong" x={center.x} y={center.y - 5} text-anchor="middle">
        {clip(nodeName(self), 22)}
      </text>
      <text class="t-muted" x={center.x} y={center.y + 14} text-anchor="middle">
        {size === null ? 'this node' : `this node · ${plural(size, 'entry', 'entries')}`}
      </text>
      {drawn.map((peer, i) => (
        <PeerBox peer={peer} at={places[i] ?? center} witness={witness} nowMs={nowMs} />
      ))}
    </svg>
  );
}

function placeOf(i: number, all: number, height: number): Place {
  const isLeft = i % 2 === 0;
  const inColumn = isLeft ? Math.ceil(all / 2) : Math.floor(all / 2);
  const row = Math.floor(i / 2);
  const y = height / 2 + (row - (inColumn - 1) / 2) * ROW;
  return { x: isLeft ? BOX.width / 2 + 4 : WIDTH - BOX.width / 2 - 4, y };
}

function Edge({ peer, from, to }: { peer: PeerStatus; from: Place; to: Place }): Html {
  const side = to.x < from.x ? -1 : 1;
  const start = { x: from.x + side * 84, y: from.y };
  const end = { x: to.x - side * (BOX.width / 2), y: to.y };
  const middle = (start.x + end.x) / 2;
  const label = lagText(peer);
  return (
    <g>
      <path
        class={`edge ${toneOf(peer)}`}
        d={`M${start.x} ${start.y}C${middle} ${start.y} ${middle} ${end.y} ${end.x} ${end.y}`}
      />
      <text
        class="t-muted"
        x={end.x - side * 8}
        y={end.y + (end.y > from.y ? 16 : -8)}
        text-anchor={side < 0 ? 'start' : 'end'}
      >
        {label}
      </text>
    </g>
  );
}

function PeerBox({
  peer,
  at,
  witness,
  nowMs,
}: {
  peer: PeerStatus;
  at: Place;
  witness: WitnessAnswer | null;
  nowMs: number;
}): Html {
  const left = at.x - BOX.width / 2;
  const top = at.y - BOX.height / 2;
  const tone = toneOf(peer);
  return (
    <a href={`/console/peers/${encodeURIComponent(peer.name)}`}>
      <rect class="node" x={left} y={top} width={BOX.width} height={BOX.height} rx="9" />
      <circle class={`dot ${tone === '' ? 'muted' : tone}`} cx={left + 14} cy={top + 16} r="4" />
      <text class="t-strong" x={left + 25} y={top + 20}>
        {clip(peer.name, 19)}
      </text>
      <text class="t-muted" x={left + 12} y={top + 37}>
        {weHold(peer, nowMs)}
      </text>
      <text class="t-muted" x={left + 12} y={top + 52}>
        {theyHold(peer, witness, nowMs)}
      </text>
    </a>
  );
}

/** Its newest head that was verified here, and when it was last asked for a newer one. */
function weHold({ checkpoint, last_contact_at: at }: PeerStatus, nowMs: number): string {
  if (checkpoint === null) return 'we hold no head of it';
  return `we hold ${count(checkpoint.size)}${at === null ? '' : ` · ${agoText(at, nowMs)}`}`;
}

/** What the peer holds of ours: its cosignature first, which is of the whole log; else what it has signed receipts for. */
export function theyHold(peer: PeerStatus, witness: WitnessAnswer | null, nowMs: number): string {
  const cosigned = witness?.cosignatures.find(({ witness: name }) => name.includes(nodeName(peer.node_id)));
  if (witness !== null && cosigned !== undefined) {
    const age = cosigned.time === null ? '' : ` · ${agoText(cosigned.time, nowMs)}`;
    return `holds our ${count(witness.size)}${age}`;
  }
  const received = peer.acknowledged.reduce((sum, { to }) => sum + to, 0);
  return received === 0 ? 'holds nothing of ours' : `holds ${plural(received, 'entry', 'entries')} of ours`;
}

export function toneOf({ state, circuit }: PeerStatus): Tone {
  if (state === 'suspended') return 'critical';
  if (circuit === 'open') return 'high';
  if (state === 'catching_up' || circuit === 'half_open') return 'low';
  if (state === 'current') return 'good';
  return state === 'pending' ? '' : 'medium';
}

export function stateText({ state }: PeerStatus): string {
  return state.replace('_', ' ');
}

export function lagText({ lag_entries: lag, state }: PeerStatus): string {
  if (state === 'suspended') return 'suspended';
  if (lag === null) return 'no feed yet';
  return `${count(lag)} behind`;
}

function sentenceOf(peer: PeerStatus): string {
  const why = peer.waiting_on === null ? '' : `: ${peer.waiting_on}`;
  return `${peer.name} is ${stateText(peer)}, ${lagText(peer)}${why}.`;
}

function clip(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}
