/** A partner that waits, on a screen: what was looked at, what would flow, and the words to compare. */

import type { OnboardingView, PartnerView } from '../core/onboarding.ts';
import { plural } from '../core/plural.ts';
import type { Context } from './cli.ts';
import { printable } from './printable.ts';
import type { Cell, Screen } from './screen.ts';

const WORDS_PER_LINE = 4;

/** Everything that a person needs before the yes. */
export function waitingView(screen: Screen, view: OnboardingView, partner: PartnerView): string {
  const { name, checks } = { name: view.name ?? view.id, checks: partner.checks };
  const failed = checks.filter(({ ok }) => !ok).length;
  const checkRows = checks.map(({ name: check, ok, detail, fix }): readonly [string, Cell] => [
    `${ok ? 'ok  ' : 'FAIL'} ${check}`,
    { lines: fix === null ? [detail] : [detail, fix] },
  ]);
  return [
    screen.pairs([
      ['partner', `${name}, ${partner.node_id}`],
      ['its key', partner.peer_id],
    ]),
    `\nChecks${failed === 0 ? '' : `, ${failed} failed`}\n${screen.pairs(checkRows)}`,
    `\n${flowSentences(view, partner).join('\n')}`,
    `\nThese twelve words, and no others, have to be on the partner’s screen too:\n\n${wordLines(screen, partner.words)}\n`,
  ].join('\n');
}

/** "You will receive about N facts, they about M." */
function flowSentences({ share, accept, until }: OnboardingView, partner: PartnerView): readonly string[] {
  const about = (count: number | null, noun: (count: number) => string): string =>
    count === null ? 'a number of facts' : `about ${noun(count)}`;
  const facts = (count: number): string => plural(count, 'fact');
  const number = (count: number): string => count.toLocaleString('en');
  const of = (feeds: readonly string[]): string =>
    feeds.length === 0 ? 'nothing is granted' : `of ${printable(feeds.join(', '))}`;
  return [
    `You will receive ${accept.length === 0 ? 'no facts' : about(partner.takes_about, facts)} (${of(accept)}), they ${share.length === 0 ? 'none' : about(partner.gives_about, number)} (${of(share)}).`,
    until === null ? 'The grants have no end.' : `The grants end at ${until}.`,
  ];
}

function wordLines(screen: Screen, words: readonly string[]): string {
  const cells = words.map((word, i) => `${String(i + 1).padStart(4)} ${word.padEnd(9)}`);
  const lines = cells.flatMap((_, i) =>
    i % WORDS_PER_LINE === 0
      ? [
          cells
            .slice(i, i + WORDS_PER_LINE)
            .join('')
            .trimEnd(),
        ]
      : [],
  );
  return lines.map((line) => screen.paint('bold', line)).join('\n');
}

export function onboardingTable(screen: Screen, all: readonly OnboardingView[]): string {
  const rows = all.map(({ id, by, state, name, share, accept, until, expires_at, partner }) => [
    id,
    by,
    state,
    partner === null ? name : `${name} ${partner.node_id}`,
    share.join(' ') || null,
    accept.join(' ') || null,
    until,
    expires_at,
  ]);
  return screen.table(['ID', 'BY', 'STATE', 'PARTNER', 'MAY READ', 'WE TAKE', 'UNTIL', 'CODE ENDS'], rows);
}

/** Addresses that only this machine has are of no use to a partner. */
export function noteLocalAddresses(context: Context, addresses: readonly string[]): void {
  const local = addresses.filter((address) => /^\/(ip4\/(127\.|0\.0\.0\.0)|ip6\/(::1|::)\/)/.test(address));
  if (local.length === 0) return;
  context.note(`Partners cannot reach ${local.join(' ')}: set listen.announce in config.toml to the address they can.`);
}
