/** Everything the doctor looks at, in the order in which it says it. A check is an id, a sentence and a rule. */
import { COPIES_CHECKS } from './copies-checks.ts';
import { DRILL_CHECKS } from './drill-checks.ts';
import type { Facts } from './facts.ts';
import type { Check, Judgement } from './judgement.ts';
import { MACHINE_CHECKS } from './machine-checks.ts';
import { SIGN_IN_CHECKS } from './sign-in-checks.ts';
import { TRUST_CHECKS } from './trust-checks.ts';

export const CHECKS: readonly Check[] = [
  ...MACHINE_CHECKS,
  ...SIGN_IN_CHECKS,
  ...TRUST_CHECKS,
  ...COPIES_CHECKS,
  ...DRILL_CHECKS,
];

export interface Finding extends Judgement {
  readonly id: string;
  readonly title: string;
}

export function examine(facts: Facts): readonly Finding[] {
  return CHECKS.map(({ id, title, judge }) => {
    const found = judge(facts);
    return { id, title, ...found, fix: found.fix?.replaceAll('--data DIR', `--data ${shellWord(facts.dir)}`) ?? null };
  });
}

/** A path as it can be typed. */
function shellWord(path: string): string {
  return /^[\w./:@%+=-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`;
}
