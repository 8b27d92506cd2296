/** What the API knows of copies of this node elsewhere. */

import type { ApiBackups } from '../admin/backup-desk.ts';
import { HOUR_MS } from '../core/time.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { openDocument } from '../wire/signed-document.ts';
import { SNAPSHOT_MANIFEST, SNAPSHOT_PROOF } from '../wire/snapshot-manifest.ts';
import { digestOf } from '../wire/worm-manifest.ts';
import type { Base } from './base.ts';
import { logKeysOf } from './worm-store.ts';

export function backupsOf(base: Base): ApiBackups {
  const { backups, config, identity, keys, statements, writer } = base;
  return {
    worm: async () => (await backups.shipping?.status()) ?? null,
    snapshots: () => {
      const { schedule } = backups;
      if (config.snapshot === null || schedule === null) return null;
      const { directory, everyMs, keep } = config.snapshot;
      const ageMs = schedule.ageMs();
      const verifiedAgeSeconds = Number.isFinite(ageMs) ? ageMs / 1_000 : null;
      return { directory, everyHours: everyMs / HOUR_MS, keep, verifiedAgeSeconds };
    },
    recordVerified: async (name, manifest, proof, actor) => {
      const signers = logKeysOf(createLogSigner(identity.journalOrigin, keys.log.seed), statements);
      const bytes = Buffer.from(manifest);
      const made = openDocument(SNAPSHOT_MANIFEST, bytes, signers, identity.journalOrigin);
      const said = openDocument(SNAPSHOT_PROOF, Buffer.from(proof), signers, identity.journalOrigin);
      if (!made.ok || !said.ok || said.value.value.manifest !== digestOf(bytes)) return null;
      const { audit_size, journal_size, manifest: digest } = said.value.value;
      const detail = { snapshot: name, manifest: digest, journal_size, audit_size };
      return writer.audit({ event: 'snapshot_verified', actor, detail });
    },
  };
}
