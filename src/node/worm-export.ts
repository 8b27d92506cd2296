/** One export of a data folder's records, and the reading back of one: beside a running daemon, which is not asked. */
import { dataPaths } from '../config/data-dir.ts';
import { readSeedFile } from '../config/secret-file.ts';
import type { Network } from '../core/address.ts';
import { AuditReader } from '../journal/audit-reader.ts';
import { openDatabase } from '../journal/database.ts';
import { readIdentity } from '../journal/identity.ts';
import { KeyStatements, ownLogKeys } from '../journal/key-statements.ts';
import { PublishedLog } from '../journal/published-log.ts';
import { WormRecords } from '../journal/worm-records.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { createHttpClient } from '../outbound/http-client.ts';
import type { S3Options } from '../publish/s3-client.ts';
import { FolderStore } from '../worm/folder-store.ts';
import { shipStatements } from '../worm/key-statements.ts';
import { pinnedIn, WORM_BEGUN_EVENT, WORM_RESUMED_EVENT } from '../worm/pinned-place.ts';
import { findPlace, type KnownPlace, type Place } from '../worm/place.ts';
import { S3Store } from '../worm/s3-store.ts';
import { retainUntil, shipRound } from '../worm/ship.ts';
import type { WormSource } from '../worm/source.ts';
import { WormError, type WormStore } from '../worm/store.ts';
import { verifyWorm, type WormReport, type WormTrust, type WormVerifyOptions } from '../worm/verify.ts';
import { StartError } from './base.ts';

export type WormTarget =
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 's3'; readonly options: Omit<S3Options, 'http'>; readonly allowed: readonly Network[] };

export interface WormExportOptions {
  readonly retainMs: number;
  /** This node was put back from a copy, and started since: the chain is gone on with from what both have. */
  readonly afterRestore: boolean;
  readonly nowMs: () => number;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface WormExportReport {
  readonly target: string;
  readonly manifests: number;
  /** Restores that the chain names. */
  readonly restores: number;
  readonly records: number;
  readonly segments: number;
  /** Records that no signed checkpoint covers yet. */
  readonly uncovered: number;
  readonly weakness: string | null;
}

const CACHE_MIB = 8;
const PINNED_LOOKED_AT = 100;

/**
 * Ships everything that signed checkpoints cover and that is not there yet. Signs manifests, and no checkpoint.
 *
 * @throws WormError, StartError without the log key
 */
export async function exportWorm(
  dir: string,
  target: WormTarget,
  options: WormExportOptions,
): Promise<WormExportReport> {
  const seed = readSeedFile(dataPaths(dir).logKey, 'log');
  if (!seed.ok) throw new StartError([seed.error]);
  const db = openDatabase(dataPaths(dir).journal, { readonly: true, cacheMiB: CACHE_MIB });
  try {
    const store = openTarget(target);
    const signer = createLogSigner(readIdentity(db).journalOrigin, seed.value);
    const records = new WormRecords(db);
    const logs = { journal: new PublishedLog(db, 'journal'), audit: new PublishedLog(db, 'audit') };
    const source: WormSource = {
      signer,
      keys: ownLogKeys(db, signer.publicKey),
      heads: async () => {
        const [journal, audit] = [logs.journal.head(), logs.audit.head()];
        return journal === undefined || audit === undefined ? undefined : { journal, audit };
      },
      ends: async () => records.ends(),
      read: async (stream, after, end) => records.read(stream, after, end),
      writtenAt: async (stream, seq) => records.writtenAt(stream, seq),
      root: async (log, size) => records.root(log, size),
    };
    let place = await placeIn(store, source, pinnedAt(new AuditReader(db), store.name), options);
    const statements = new KeyStatements(db).of(readIdentity(db).nodeId);
    const crowded = await shipStatements(store, statements, retainUntil(options.nowMs(), options.retainMs));
    let [shippedRecords, segments] = [0, 0];
    for (let hasMore = true; hasMore; ) {
      const round = await shipRound(place, { source, store, ...options });
      place = round.place;
      shippedRecords += round.records;
      segments += round.segments;
      hasMore = round.hasMore;
    }
    const ends = records.ends();
    const uncovered = ends.journal - place.ends.journal + ends.audit - place.ends.audit;
    const { name } = store;
    const weakness = store.weakness ?? crowded;
    const restores = place.restored?.count ?? 0;
    return { target: name, manifests: place.number, restores, records: shippedRecords, segments, uncovered, weakness };
  } finally {
    db.close();
  }
}

function pinnedAt(audit: AuditReader, target: string): KnownPlace | null {
  const pages = [WORM_BEGUN_EVENT, WORM_RESUMED_EVENT].map((event) =>
    audit.page({ event, order: 'desc', limit: PINNED_LOOKED_AT }),
  );
  return pinnedIn(
    pages.flatMap(({ records }) => records),
    target,
  );
}

/** Nobody asks here whether this copy is the newest: who ran the command has to say that it was restored. */
async function placeIn(
  store: WormStore,
  source: WormSource,
  known: KnownPlace | null,
  { afterRestore, nowMs, signal }: WormExportOptions,
): Promise<Place> {
  const found = await findPlace(store, source, { known, nowMs: nowMs(), signal });
  if (found.kind === 'past' || afterRestore) return found.place;
  const { base, number } = found.place.restored;
  const message = `${store.name} holds records of this node that are not here (${found.why}): all that is here was there with manifest ${base}, and ${number - 1} are there. If this node was put back from a copy, start it once, so that it asks whether it is the newest; then add --after-restore, and the next manifest says that it goes on from there. Otherwise keep both, they are evidence`;
  throw new WormError('store_restored', message);
}

/** Reads a store back with public keys alone. @throws WormError if it cannot be read */
export function verifyWormTarget(
  target: WormTarget,
  trust: WormTrust,
  options: WormVerifyOptions,
): Promise<WormReport> {
  return verifyWorm(openTarget(target), trust, options);
}

function openTarget(target: WormTarget): WormStore {
  if (target.kind === 'folder') return new FolderStore(target.path);
  return new S3Store({ ...target.options, http: createHttpClient(target.allowed) });
}
