/** Settings of transparency logs. */
import { z } from 'zod';
import { ANCHOR_BACKENDS } from '../merkle/anchor-receipt.ts';
import { urlFault } from './checks.ts';
import { text } from './fault.ts';
import { about, integer, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

export const ANCHOR_SECTION: z.ZodPrefault<z.ZodType<Settings['anchor']>> = z
  .strictObject({
    backends: z
      .array(z.enum(ANCHOR_BACKENDS))
      .max(2)
      .default(['local'])
      .register(about, {
        kind: 'list',
        expected: 'a list of "local" and "rekor"',
        doc: 'Transparency logs that checkpoints go to. "local" is a file: no outside trust, unless its storage cannot be rewritten.',
        env: ['STIGMEM_TL_BACKEND'],
      }),
    interval: integer(1, 1_000_000, 1_000).register(about, {
      kind: 'integer',
      expected: 'a number from 1 to 1000000',
      doc: 'A checkpoint is made after so many entries, at most one a second.',
      env: ['STIGMEM_FACT_CHAIN_CHECKPOINT_INTERVAL'],
    }),
    max_age_s: integer(1, 86_400, 60).register(about, {
      kind: 'integer',
      expected: 'seconds from 1 to 86400',
      doc: 'And after this time, if anything was written since the last one.',
      env: ['STIGMEM_FACT_CHAIN_CHECKPOINT_MAX_AGE_S'],
    }),
    retry_s: integer(1, 86_400, 30).register(about, {
      kind: 'integer',
      expected: 'seconds from 1 to 86400',
      doc: 'First pause after a log could not be reached; it doubles with each failure, up to an hour. Writes go on meanwhile.',
      env: ['STIGMEM_FACT_CHAIN_CHECKPOINT_RETRY_S'],
    }),
    local_path: z
      .string()
      .min(1)
      .default('anchors.jsonl')
      .register(about, {
        kind: 'text',
        expected: 'a path of a file',
        doc: 'File of the local log, one JSON line for each checkpoint. Relative paths start at the data folder; another volume is better.',
        env: ['STIGMEM_TL_LOCAL_PATH'],
      }),
    rekor_url: text(urlFault)
      .default('')
      .register(about, {
        kind: 'text',
        expected: 'a URL such as "https://rekor.sigstore.dev"',
        doc: 'Rekor to submit to. There is no default: whoever is trusted is chosen, not assumed.',
        env: ['STIGMEM_TL_REKOR_URL'],
      }),
    rekor_version: z.int().min(1).max(2).default(1).register(about, {
      kind: 'integer',
      expected: '1 or 2',
      doc: 'API of that Rekor: 1, or 2 (rekor-tiles).',
    }),
    rekor_read_url: text(urlFault).default('').register(about, {
      kind: 'text',
      expected: 'a URL, or "" for rekor_url with /api/v2',
      doc: 'Where checkpoint and tiles of a Rekor of version 2 are read.',
    }),
    rekor_trust_root: z.string().default('').register(about, {
      kind: 'text',
      expected: 'a path of a Sigstore trusted_root.json',
      doc: 'Keys that answers of Rekor are verified with. Needed with "rekor".',
    }),
  })
  .prefault({})
  .register(sectionDoc, { doc: 'Transparency logs: checkpoints of this node where it cannot rewrite them.' });
