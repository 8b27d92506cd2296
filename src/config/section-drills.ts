/** Settings of drills. */
import { z } from 'zod';
import { DRILL_KINDS } from '../core/drill.ts';
import { about, integer, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

export const DRILLS_SECTION: z.ZodPrefault<z.ZodType<Settings['drills']>> = z
  .strictObject({
    repeat_hours: integer(0, 8_760, 0).register(about, {
      kind: 'integer',
      expected: 'hours from 0 to 8760',
      doc: 'How old the newest drill of each kind may become before the node makes the next one by itself. 168 is a week. 0: none is made but by hand.',
    }),
    kinds: z
      .array(z.enum(DRILL_KINDS))
      .default([...DRILL_KINDS])
      .register(about, {
        kind: 'list',
        expected: `a list of ${DRILL_KINDS.map((kind) => JSON.stringify(kind)).join(', ')}`,
        doc: 'Which kinds the node makes by itself.',
      }),
    acknowledge_hours: integer(1, 720, 24).register(about, {
      kind: 'integer',
      expected: 'hours from 1 to 720',
      doc: 'How long the case of a drill waits for somebody to acknowledge it, which is timed. Then the node resolves it, as it does at once when somebody has.',
    }),
  })
  .prefault({})
  .register(sectionDoc, { doc: 'Drills: labelled attacks of this node on itself, which show that the alarm works.' });
