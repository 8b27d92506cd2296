/** Settings of the machine's trusted execution environment. */
import { z } from 'zod';
import { about, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

export const TEE_SECTION: z.ZodPrefault<z.ZodType<Settings['tee']>> = z
  .strictObject({
    reports: z.boolean().default(false).register(about, {
      kind: 'boolean',
      expected: 'true or false',
      doc: 'Whether a report of the machine (TDX, SEV-SNP) is taken for each checkpoint that goes to transparency logs, and kept in the audit log. Needs /sys/kernel/config/tsm/report: without it the node does not start.',
    }),
  })
  .prefault({})
  .register(sectionDoc, {
    doc: 'Trusted execution environment: what its reports prove, and what not, is in docs/OPERATIONS.md.',
  });
