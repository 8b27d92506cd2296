/** Settings of tombstones. */
import { z } from 'zod';
import { about, integer, MAX_SECONDS, sectionDoc } from './setting-registry.ts';

type Seconds = z.ZodDefault<z.ZodInt>;

export const TOMBSTONES: z.ZodPrefault<
  z.ZodObject<{ undo_window_s: Seconds; received_window_s: Seconds; max_per_hour: Seconds }, z.core.$strict>
> = z
  .strictObject({
    undo_window_s: integer(0, MAX_SECONDS, 86_400).register(about, {
      kind: 'integer',
      expected: 'seconds from 0 to 31536000',
      doc: 'How long a tombstone that was asked for here can be undone. The fact is hidden meanwhile; then the tombstone is written, and the body erased.',
    }),
    received_window_s: integer(0, MAX_SECONDS, 86_400).register(about, {
      kind: 'integer',
      expected: 'seconds from 0 to 31536000',
      doc: 'How long the body of a peer’s fact stays, hidden, after its tombstone came. An operator can hold it for longer.',
    }),
    max_per_hour: integer(1, 1_000_000, 100).register(about, {
      kind: 'integer',
      expected: 'a number from 1 to 1000000',
      doc: 'Tombstones in an hour: more that are asked for here are refused, more of one peer wait for an operator. Either raises the alarm mass_deletion.',
    }),
  })
  .prefault({})
  .register(sectionDoc, { doc: 'Tombstones: bodies of facts are erased, their places in every proof stay.' });
