/** Whether the alarm was tried: what the reference wants drilled, each lately, and all that there is. */

import { DRILL_QUIET_DAYS, DRILLED_BY_REFERENCE, type DrillKind } from '../../core/drill.ts';
import { plural } from '../../core/plural.ts';
import { DAY_MS } from '../../core/time.ts';
import { type Check, fail, ofNode, pass, warn } from './judgement.ts';

const TITLES: Readonly<Partial<Record<DrillKind, string>>> = {
  'cid-mismatch': 'the alarm for facts with another CID was tried',
  'chain-proof': 'the alarm for facts that are not in the tree was tried',
  'anchor-down': 'the alarm for a transparency log that is away was tried',
};

export const DRILL_CHECKS: readonly Check[] = [
  ...DRILLED_BY_REFERENCE.map(
    (kind): Check => ({
      id: `drills.${kind.replace('-', '_')}`,
      title: TITLES[kind] ?? `drill ${kind} was made`,
      judge: ofNode(({ drills }, { nowMs }) => {
        const fix = `stigmem-peerd drill run ${kind} --data DIR`;
        const found = drills.kinds.find((one) => one.kind === kind);
        if (found?.last_state === 'failed') return fail(`drill ${kind} has failed: the alarm does not work`, fix);
        if (found?.last_passed_at == null) return warn(`drill ${kind} was never made`, fix);
        const days = Math.floor((nowMs - Date.parse(found.last_passed_at)) / DAY_MS);
        const seen = `drill ${kind} passed ${days === 0 ? 'today' : `${plural(days, 'day')} ago`}`;
        return days < DRILL_QUIET_DAYS ? pass(seen) : warn(seen, fix);
      }),
    }),
  ),
  {
    id: 'drills.failed',
    title: 'no drill has failed last time',
    judge: ofNode(({ drills }) => {
      const failed = drills.kinds.filter(({ last_state }) => last_state === 'failed').map(({ kind }) => kind);
      if (failed.length === 0) return pass('none has');
      return fail(
        `${failed.join(', ')}: docs/OPERATIONS.md, a drill has failed`,
        `stigmem-peerd drill run ${failed[0]} --data DIR`,
      );
    }),
  },
];
