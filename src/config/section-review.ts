/** Settings of what operators decide about facts and partners. */
import { z } from 'zod';
import { REVIEWED_ACTIONS } from '../core/approval.ts';
import { about, integer, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

export const REVIEW_SECTION: z.ZodPrefault<z.ZodType<Settings['review']>> = z
  .strictObject({
    four_eyes: z
      .array(z.enum(REVIEWED_ACTIONS))
      .default([])
      .register(about, {
        kind: 'list',
        expected: `a list of ${REVIEWED_ACTIONS.map((action) => JSON.stringify(action)).join(', ')}`,
        doc: 'Actions that one person proposes and another approves, with API keys of two names, or signed in as two persons. Two keys of one person that do not name who holds them cannot be told apart from two persons. What is not listed is done at once, but case.resolve covers case.suppress.',
      }),
    named_persons: z.boolean().default(false).register(about, {
      kind: 'boolean',
      expected: 'true or false',
      doc: 'Whether both of the two have to be known as persons: signed in at the identity provider ([oidc]), or with a key that was made with --person. Without it two keys of different names that name nobody pass for two persons.',
    }),
    proposal_hours: integer(1, 720, 72).register(about, {
      kind: 'integer',
      expected: 'hours from 1 to 720',
      doc: 'A proposal that nobody has decided by then has expired.',
    }),
  })
  .prefault({})
  .register(sectionDoc, { doc: 'Decisions of operators about facts and partners.' });
