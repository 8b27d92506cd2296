/** What the demo knows at one moment, and how it is drawn. Pure. */
import type { Screen } from '../screen.ts';

export interface NodePicture {
  readonly authority: string;
  readonly facts: number;
  readonly own: number;
  /** Facts per second since the last picture. */
  readonly rate: number;
  readonly lag: number;
  readonly refused: number;
  /** In words: how it is doing. */
  readonly doing: string;
}

export interface RefusalPicture {
  readonly reason: string;
  /** How many of this reason. */
  readonly count: number;
  readonly attempt: string;
  readonly field: string;
  readonly claimed: string | null;
  readonly computed: string | null;
  readonly seq: number;
}

export interface Picture {
  readonly elapsedMs: number;
  readonly phase: string;
  readonly nodes: readonly NodePicture[];
  readonly hostile: { readonly authority: string; readonly trueFacts: number; readonly lies: number };
  readonly refusals: readonly RefusalPicture[];
  /** Newest measured way of one fact from writer to reader, ms. */
  readonly propagationMs: number | null;
  readonly lookAround: readonly string[];
}

/** The whole picture as lines. */
export function drawPicture(picture: Picture, screen: Screen): string[] {
  const { paint } = screen;
  const rows = picture.nodes.map((node) => [
    node.authority,
    grouped(node.facts),
    grouped(node.own),
    grouped(node.facts - node.own),
    grouped(Math.round(node.rate)),
    grouped(node.lag),
    node.refused === 0 ? 0 : { text: String(node.refused), style: 'red' as const },
    node.doing,
  ]);
  const table = screen.table(['NODE', 'FACTS', 'OWN', 'RECEIVED', 'FACTS/S', 'BEHIND', 'REFUSED', 'DOING'], rows);
  const { hostile } = picture;
  return [
    `${paint('bold', 'stigmem-peerd demo')}  ${clock(picture.elapsedMs)}  ${picture.phase}`,
    '',
    ...table.split('\n'),
    `${paint('red', hostile.authority)}  has signed ${hostile.trueFacts} true facts and ${hostile.lies} lies into its log`,
    ...(picture.propagationMs === null
      ? []
      : [`one fact, from assert at cldr.example to reader.example: ${picture.propagationMs} ms`]),
    '',
    ...picture.lookAround,
    '',
    ...picture.refusals.flatMap((refusal) => refusalLines(refusal, screen)),
  ];
}

/** One kind of lie: why it was refused, what was claimed, what was computed. */
export function refusalLines(refusal: RefusalPicture, screen: Screen): string[] {
  const { paint } = screen;
  const times = refusal.count === 1 ? '' : ` ×${refusal.count}`;
  const head = `${paint('red', 'refused')} ${paint('bold', refusal.reason)}${times}  mallory ${refusal.attempt}  ${paint('dim', `audit ${refusal.seq}`)}`;
  const computed = refusal.computed ?? 'nothing that allows it';
  return [head, `  claimed  ${refusal.field} ${refusal.claimed ?? 'null'}`, `  computed ${refusal.field} ${computed}`];
}

/** One line where lines are all there is: a log, a pipe. */
export function pictureLine(picture: Picture): string {
  const nodes = picture.nodes.map(({ authority, facts, rate }) => `${authority} ${facts} (${Math.round(rate)}/s)`);
  const refused = picture.refusals.reduce((sum, { count }) => sum + count, 0);
  return `${clock(picture.elapsedMs)} ${picture.phase}: ${nodes.join(', ')}; ${refused} lies refused`;
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${String(Math.floor(seconds / 60)).padStart(2, '0')}:${String(seconds % 60).padStart(2, '0')}`;
}

function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
