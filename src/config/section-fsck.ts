/** Settings of the checks that the node runs over everything that it has stored. */
import { z } from 'zod';
import { about, integer, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

export const FSCK_SECTION: z.ZodPrefault<z.ZodType<Settings['fsck']>> = z
  .strictObject({
    every_hours: integer(0, 8_760, 168).register(about, {
      kind: 'integer',
      expected: 'hours from 0 to 8760',
      doc: 'How old the newest check that found nothing may become before the node checks everything again, in a thread of its own; some 20 µs an entry. 0: only by hand.',
    }),
  })
  .prefault({})
  .register(sectionDoc, { doc: 'Checks of everything that is stored. Each leaves an audit record.' });
