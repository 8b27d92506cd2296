/** One picture of a node, out of two samples. Pure; what peers wrote is made harmless and nothing is wider than the screen. */

import type { ReadinessAnswer } from '../../admin/api/node.ts';
import type { NodeStats } from '../../admin/node-status.ts';
import type { PeerStatus } from '../../core/peer-status.ts';
import { plural } from '../../core/plural.ts';
import { printable } from '../printable.ts';
import type { Screen, Style } from '../screen.ts';

export interface Sample {
  readonly atMs: number;
  readonly nodeId: string;
  readonly stats: NodeStats;
  readonly readiness: ReadinessAnswer;
  readonly peers: readonly PeerStatus[];
  readonly freeBytes: number | null;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** Per second between two samples; null: there is one alone, or the node was started anew between them. */
type Rate = number | null;

const MIB = 1_048_576;
const TROUBLE_LINES = 3;
const ORDER: readonly PeerStatus['state'][] = ['suspended', 'waiting', 'pending', 'catching_up', 'current'];
const STYLES: Readonly<Record<PeerStatus['state'], Style>> = {
  suspended: 'red',
  waiting: 'yellow',
  pending: 'yellow',
  catching_up: 'cyan',
  current: 'green',
};

/** @returns lines that fit the size */
export function topFrame(now: Sample, before: Sample | null, size: Size, screen: Screen): readonly string[] {
  const head = headLines(now, before).map((line) => fit(line, size.columns, screen));
  const table = peerLines(now, before, size.columns, screen);
  const room = Math.max(0, size.rows - head.length - 2);
  const hidden = table.length - room;
  const shown = hidden > 0 ? table.slice(0, Math.max(0, room)) : table;
  const more = hidden > 0 ? `${hidden} more lines; ` : '';
  return [...head, '', ...shown, screen.paint('dim', `${more}q to quit`.slice(0, size.columns))].slice(0, size.rows);
}

interface Part {
  readonly text: string;
  readonly style?: Style;
}
type Line = readonly Part[];

function headLines({ atMs, nodeId, stats, readiness, freeBytes }: Sample, before: Sample | null): Line[] {
  const rate = (name: CountName): string => rateText(rateOf(before, atMs, before?.stats[name], stats[name], stats));
  const { loop_delay_ms: loop } = stats;
  const isReady = readiness.status === 'ready';
  const trouble = [
    ...readiness.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `not ready: ${name}: ${detail}`),
    ...readiness.notices,
  ];
  return [
    [
      { text: nodeId, style: 'bold' },
      { text: isReady ? '  ready' : '  not ready', style: isReady ? 'green' : 'red' },
      { text: `  up ${span(stats.uptime_s)}  ${new Date(atMs).toISOString().slice(0, 19)}Z` },
    ],
    [
      {
        text: `facts/s   in: asserted ${rate('facts_asserted')}  taken ${rate('facts_taken')}   out: given ${rate('facts_given')}   refused ${rate('facts_refused')}`,
      },
    ],
    [
      {
        text: `journal   ${plural(stats.entries, 'entry', 'entries')}, audit ${grouped(stats.audit_records)}; behind: queries ${grouped(stats.projection_lag)}, words ${grouped(stats.recall_lag)}`,
      },
    ],
    [
      {
        text: `process   rss ${mib(stats.rss_bytes)}  loop p99 ${loop.p99.toFixed(0)} ms max ${loop.max.toFixed(0)} ms  queue ${stats.writer_pending}  disk ${freeBytes === null ? '–' : mib(freeBytes)} free`,
      },
    ],
    ...trouble.slice(0, TROUBLE_LINES).map((text): Line => [{ text: `! ${text}`, style: 'yellow' }]),
  ];
}

type CountName = 'facts_asserted' | 'facts_taken' | 'facts_given' | 'facts_refused';

function peerLines(now: Sample, before: Sample | null, columns: number, screen: Screen): readonly string[] {
  if (now.peers.length === 0) return ['No peers.'];
  const peers = [...now.peers].sort(
    (a, b) =>
      ORDER.indexOf(a.state) - ORDER.indexOf(b.state) ||
      (b.lag_entries ?? 0) - (a.lag_entries ?? 0) ||
      a.name.localeCompare(b.name),
  );
  const rows = peers.map((peer) => {
    const old = before?.peers.find(({ name }) => name === peer.name);
    const taken = rateOf(before, now.atMs, old?.accepted, peer.accepted, now.stats);
    const refused = rateOf(before, now.atMs, old?.refused, peer.refused, now.stats);
    const skew = peer.clock_skew_ms === null ? '–' : `${(peer.clock_skew_ms / 1_000).toFixed(1)}s`;
    const lag = peer.lag_entries === null ? '–' : grouped(peer.lag_entries);
    const cells = [peer.name, peer.state, lag, rateText(taken), rateText(refused), skew];
    return { peer, cells: cells.map((cell) => printable(cell, 24)), said: peer.waiting_on ?? '' };
  });
  const head = ['PEER', 'STATE', 'LAG', 'TAKEN/S', 'REFUSED/S', 'SKEW'];
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map(({ cells }) => cells[i]?.length ?? 0)));
  const laid = (cells: readonly string[]): string[] =>
    cells.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)));
  const first: Line = [{ text: `${laid(head).join('  ')}  WAITS FOR`, style: 'bold' }];
  const lines = rows.map(({ peer, cells, said }): Line => {
    const [name = '', state = '', ...numbers] = laid(cells);
    return [
      { text: `${name}  ` },
      { text: state, style: STYLES[peer.state] },
      { text: `  ${numbers.join('  ')}  ${said}` },
    ];
  });
  return [first, ...lines].map((line) => fit(line, columns, screen));
}

/** Cut to the width, then coloured: colour takes no place. */
function fit(line: Line, columns: number, { paint }: Screen): string {
  let left = columns;
  const parts = line.map(({ text, style }) => {
    const cut = printable(text).slice(0, Math.max(0, left));
    left -= cut.length;
    return style === undefined || cut === '' ? cut : paint(style, cut);
  });
  return parts.join('');
}

function rateOf(before: Sample | null, atMs: number, old: number | undefined, now: number, stats: NodeStats): Rate {
  if (before === null || old === undefined || now < old || stats.uptime_s < before.stats.uptime_s) return null;
  const seconds = (atMs - before.atMs) / 1_000;
  return seconds > 0 ? (now - old) / seconds : null;
}

function rateText(rate: Rate): string {
  return rate === null ? '–' : rate >= 100 ? grouped(Math.round(rate)) : rate.toFixed(1);
}

function grouped(count: number): string {
  return count.toLocaleString('en');
}

function mib(bytes: number): string {
  return `${grouped(Math.round(bytes / MIB))} MiB`;
}

function span(seconds: number): string {
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3_600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${hours} h`;
  return hours > 0 ? `${hours} h ${minutes} min` : minutes > 0 ? `${minutes} min` : `${seconds} s`;
}
