import { z } from '@hono/zod-openapi';
import { plural } from '../../core/plural.ts';
import { maxNoteBytes } from '../../wire/signed-document.ts';
import { SNAPSHOT_MANIFEST, SNAPSHOT_PROOF } from '../../wire/snapshot-manifest.ts';
import { restoreSentence, type WormStatus } from '../backup-desk.ts';
import { readJsonBody } from './body.ts';
import { fieldErrors } from './field-errors.ts';
import { plain } from './plain-json.ts';
import { json, refused } from './responses.ts';
import { type Apparatus, addRoute, NO_QUERY } from './route.ts';

export interface BackupsAnswer {
  readonly worm: {
    readonly target: string;
    readonly sentence: string;
    readonly weakness: string | null;
    readonly last_error: string | null;
  } | null;
  readonly snapshots: { readonly every_hours: number; readonly verified_age_seconds: number | null } | null;
}

const COUNTS = z.object({
  journal: z.number().int(),
  audit: z.number().int(),
  anchors: z.number().int(),
  receipts: z.number().int(),
});

const WORM = z
  .object({
    target: z.string(),
    manifests: z.number().int(),
    made_at: z
      .string()
      .nullable()
      .openapi({ description: 'When the newest manifest was made, if it was since the start.' }),
    shipped: COUNTS,
    restores: z.number().int().openapi({ description: 'How often the chain was gone on with after a restore.' }),
    restored: z
      .object({ at: z.string(), manifest: z.number().int(), base: z.number().int(), sentence: z.string() })
      .nullable()
      .openapi({ description: 'The newest of them: `manifest` goes on from manifest `base`.' }),
    waiting: COUNTS.openapi({ description: 'Records that are not there yet.' }),
    lag_seconds: z.number().openapi({ description: 'Age of the oldest of them.' }),
    weakness: z.string().nullable(),
    last_error: z.string().nullable(),
    sentence: z.string(),
  })
  .openapi('Worm');

const BACKUPS = z
  .object({
    worm: WORM.nullable(),
    snapshots: z
      .object({
        directory: z.string(),
        every_hours: z.number(),
        keep: z.number().int(),
        verified_age_seconds: z.number().nullable(),
      })
      .nullable(),
  })
  .openapi('Backups') satisfies z.ZodType<BackupsAnswer>;

const VERIFIED = z
  .object({
    name: z.string().regex(/^[A-Za-z0-9._-]{1,64}$/, 'a name of a snapshot'),
    manifest: z.string().max(maxNoteBytes(SNAPSHOT_MANIFEST)).openapi({ description: 'Its snapshot.note.' }),
    proof: z.string().max(maxNoteBytes(SNAPSHOT_PROOF)).openapi({ description: 'Its verified.note.' }),
  })
  .openapi('VerifiedSnapshot');

/** Adds what operators ask about copies of this node elsewhere. */
export function addBackups(apparatus: Apparatus): void {
  const { backups, limits } = apparatus.deps;
  const list = {
    method: 'get',
    path: '/v1/backups',
    tag: 'Journal',
    summary: 'What is shipped to the WORM store, and the snapshots that are made by the clock',
    query: NO_QUERY,
    responses: { 200: { description: 'both', content: { 'application/json': { schema: BACKUPS } } } },
  } as const;
  addRoute(apparatus, list, ['audit.read', 'admin'], async () => {
    const worm = await backups.worm();
    const snapshots = backups.snapshots();
    return json(200, {
      worm: worm === null ? null : wormBody(worm),
      snapshots:
        snapshots === null
          ? null
          : {
              directory: snapshots.directory,
              every_hours: snapshots.everyHours,
              keep: snapshots.keep,
              verified_age_seconds: snapshots.verifiedAgeSeconds,
            },
    });
  });

  const record = {
    method: 'post',
    path: '/v1/backups/verified',
    tag: 'Journal',
    summary: 'Record that a snapshot was restored and checked, as its signed proof says',
    query: NO_QUERY,
    body: VERIFIED,
    quota: 'admin_action',
    responses: {
      200: {
        description: 'recorded',
        content: { 'application/json': { schema: z.object({ audit_seq: z.number().int() }) } },
      },
      409: { description: '`not_signed`: not by this node’s log key, or the two do not belong together' },
    },
  } as const;
  addRoute(apparatus, record, ['admin'], async (call, { actor }) => {
    const body = await readJsonBody(call.c.req.raw, limits);
    if (!body.ok) return refused(body.error);
    const given = plain(body.value);
    const parsed = VERIFIED.safeParse(given);
    if (!parsed.success) return refused({ status: 422, detail: fieldErrors(parsed.error, given, ['body']) });
    const { name, manifest, proof } = parsed.data;
    const seq = await backups.recordVerified(name, manifest, proof, actor);
    return seq === null
      ? refused({ status: 409, detail: 'not_signed: not by this node’s log key, or the two do not belong together' })
      : json(200, { audit_seq: seq });
  });
}

function wormBody(status: WormStatus): z.input<typeof WORM> {
  const { target, manifests, madeAt, ends, restored, waiting, lagSeconds, weakness, lastError } = status;
  return {
    target,
    manifests,
    made_at: madeAt,
    shipped: { ...ends },
    restores: restored?.count ?? 0,
    restored:
      restored === null
        ? null
        : { at: restored.at, manifest: restored.number, base: restored.base, sentence: restoreSentence(restored) },
    waiting: { ...waiting },
    lag_seconds: lagSeconds,
    weakness,
    last_error: lastError,
    sentence: sentenceOf(status),
  };
}

function sentenceOf({ ends, lagSeconds, lastError, restored, target, waiting }: WormStatus): string {
  const count = waiting.journal + waiting.audit + waiting.anchors + waiting.receipts;
  const since = restored === null ? '' : `; ${restoreSentence(restored)}`;
  const why = lastError === null ? since : `: ${lastError}`;
  if (count === 0) return `${target} has everything up to entry ${ends.journal} and audit record ${ends.audit}${why}`;
  const age = lagSeconds < 120 ? `${Math.round(lagSeconds)} s` : `${Math.round(lagSeconds / 60)} min`;
  return `${count === 1 ? '1 record waits' : `${plural(count, 'record')} wait`} for ${target}, the oldest for ${age}${why}`;
}
