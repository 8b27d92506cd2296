/** Settings of the copy of this node's records that nobody may take back. */
import { z } from 'zod';
import { urlFault } from './checks.ts';
import { text } from './fault.ts';
import { about, integer, MAX_SECONDS, sectionDoc } from './setting-registry.ts';
import type { Settings } from './settings-form.ts';

/** A bucket, and a prefix in it. */
export const S3_PLACE: RegExp = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/;

export const DEFAULT_RETAIN_DAYS = 365;

export const WORM_SECTION: z.ZodPrefault<z.ZodType<Settings['worm']>> = z
  .strictObject({
    target: text(targetFault).default('').register(about, {
      kind: 'text',
      expected: 'a folder, or "s3://bucket/prefix"',
      doc: 'Where audit records, what the journal commits to, anchors and receipts are shipped to as they come. A bucket has to have Object Lock; a folder should lie on storage that cannot be rewritten. Empty: nowhere. Each node has a place of its own.',
    }),
    endpoint: text(urlFault).default('').register(about, {
      kind: 'text',
      expected: 'a URL such as "https://s3.eu-central-1.amazonaws.com"',
      doc: 'Address of the S3-compatible store.',
    }),
    region: z.string().min(1).max(64).default('us-east-1').register(about, {
      kind: 'text',
      expected: 'a name such as "eu-central-1"',
      doc: 'Region of the bucket.',
    }),
    credentials_file: z.string().default('').register(about, {
      kind: 'text',
      expected: 'a path of a file of the form of the AWS tools, mode 0600',
      doc: 'Credentials of the store, profile default; a credential of the service manager with the name of this file is taken in its place. Read again for each round. Empty: AWS_SHARED_CREDENTIALS_FILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.',
    }),
    retain_days: integer(1, 36_500, DEFAULT_RETAIN_DAYS).register(about, {
      kind: 'integer',
      expected: 'days from 1 to 36500',
      doc: 'For so long the store is told to keep each object; what it says afterwards is compared with this. In a folder there is no end.',
    }),
    interval_s: integer(1, 86_400, 60).register(about, {
      kind: 'integer',
      expected: 'seconds from 1 to 86400',
      doc: 'How often what is new is shipped.',
    }),
    backoff_s: integer(1, MAX_SECONDS, 5).register(about, {
      kind: 'integer',
      expected: 'seconds from 1 to 31536000',
      doc: 'First pause after the store could not be written to; it doubles with each failure, up to an hour. Writes go on meanwhile.',
    }),
  })
  .prefault({})
  .register(sectionDoc, { doc: 'A copy of this node’s records where nobody can change or remove them (WORM).' });

function targetFault(value: string): string | null {
  if (!value.startsWith('s3:')) return null;
  return S3_PLACE.test(value) ? null : 'a bucket is written s3://bucket/prefix';
}
