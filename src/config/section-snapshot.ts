/** Settings of snapshots that the node makes, restores and checks by itself. */
import { z } from 'zod';
import { about, integer, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

export const SNAPSHOT_SECTION: z.ZodPrefault<z.ZodType<Settings['snapshot']>> = z
  .strictObject({
    directory: z.string().default('').register(about, {
      kind: 'text',
      expected: 'a path of a folder',
      doc: 'Where snapshots go, a folder for each; another disk than the data folder’s. Needed with every_hours.',
    }),
    every_hours: integer(0, 8_760, 0).register(about, {
      kind: 'integer',
      expected: 'hours from 0 to 8760',
      doc: 'How old the newest snapshot that was restored and checked may become before the next one is made. 0: none are made.',
    }),
    keep: integer(1, 1_000, 7).register(about, {
      kind: 'integer',
      expected: 'a number from 1 to 1000',
      doc: 'Checked snapshots that are kept; older ones are removed once a newer one was restored and checked.',
    }),
    scratch: z.string().default('').register(about, {
      kind: 'text',
      expected: 'a path of a folder',
      doc: 'Where they are restored to be checked; it takes as much room as the journal. Empty: the folder of the snapshots.',
    }),
  })
  .prefault({})
  .register(sectionDoc, {
    doc: 'Snapshots: copies of this node that count only once they were restored and checked whole.',
  });
