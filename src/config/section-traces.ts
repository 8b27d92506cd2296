/** Settings of traces. */
import { z } from 'zod';
import { urlFault } from './checks.ts';
import { text } from './fault.ts';
import { about, integer, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

export const TRACES_SECTION: z.ZodPrefault<z.ZodType<Settings['traces']>> = z
  .strictObject({
    otlp_url: text(urlFault).default('').register(about, {
      kind: 'text',
      expected: 'a URL such as "http://127.0.0.1:4318", or "" for no traces',
      doc: 'Where spans go: base URL of a receiver that takes OTLP over HTTP with JSON; /v1/traces is put behind it. Empty: no spans are made. They name routes, peers, counts and times, never what a fact says.',
    }),
    sample_per_cent: integer(1, 100, 100).register(about, {
      kind: 'integer',
      expected: 'a number from 1 to 100',
      doc: 'Of 100 traces so many are sent, chosen by their ids, so that several nodes choose the same.',
    }),
  })
  .prefault({})
  .register(sectionDoc, { doc: 'Traces (OpenTelemetry). Off unless a receiver is named.' });
