/** The node's checks of everything that it has stored, over its own files. */
import { existsSync } from 'node:fs';
import { rootIn, sizeIn } from '../journal/copy-journal.ts';
import { runFsckInWorker } from '../journal/fsck/worker-run.ts';
import { createLogSigner } from '../merkle/ed25519.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { type Clock, SYSTEM_CLOCK } from '../transport/clock.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import type { Base } from './base.ts';
import type { Federation } from './federation.ts';
import { type CheckKey, JournalChecks } from './journal-checks.ts';
import { removeCheck, type WaitingCheck, waitingChecks } from './left-checks.ts';

/** From when the node runs; nothing is checked before the restore guard is clear, since nothing could be recorded. */
export function startJournalChecks(
  base: Base,
  { decided, guard }: Pick<Federation, 'decided' | 'guard'>,
  owned: AsyncDisposableStack,
  clock: Clock = SYSTEM_CLOCK,
): JournalChecks {
  const { config, events, identity, keys, logger, metrics, paths, reader, statements, writer } = base;
  const signer = createLogSigner(identity.journalOrigin, keys.log.seed);
  const files = { journal: paths.journal, heads: config.guard.signedHeadsFile };
  const checks = new JournalChecks({
    everyMs: config.fsck.everyMs,
    createdMs: Date.parse(identity.createdAt),
    fsck: (run) => runFsckInWorker(files, { ...run, logKey: signer.publicKey }),
    audit: (input) => writer.audit(input),
    auditPage: (filter) => reader.auditPage(filter),
    rootAt: (log, size) => rootIn(paths.journal, log, size),
    sizeAt: (log, ms) => sizeIn(paths.journal, log, ms),
    origin: identity.journalOrigin,
    logKeys: checkKeysOf(signer.publicKey, statements),
    waiting: waitingIn(base),
    remove: removeCheck,
    isReady: () => guard.isClear,
    onEnded: (check) => events.journalChecked(check),
    onError: (error) => logger.error({ err: error }, 'a check of the journal did not come to its end'),
    onRefused: (file, why) => logger.warn({ file, why }, 'a report of a check is not recorded'),
    clock,
  });
  owned.defer(() => checks.close());
  metrics.beforeScrape(async () => {
    const { ageMs, problems } = await checks.state();
    metrics.journalCheckedAgeSeconds.set(ageMs / 1_000);
    metrics.journalCheckProblems.set(problems);
  });
  decided.then(
    () => checks.begin(),
    () => {}, // the node does not start, which is told elsewhere
  );
  return checks;
}

/** The present log key, and those before it up to when they signed. */
function checkKeysOf(present: Uint8Array, statements: readonly OpenedSuccession[]): readonly CheckKey[] {
  const former = statements.flatMap(({ use, old, overlap_until }) => {
    const key = use === 'log' ? parseVerifierKey(old) : null;
    return key?.ok === true ? [{ key: key.value.publicKey, untilMs: Date.parse(overlap_until) }] : [];
  });
  return [{ key: present, untilMs: null }, ...former];
}

/** A folder that cannot be read is told once, and again when it fails in another way. */
function waitingIn({ config, logger, paths }: Base): () => readonly WaitingCheck[] {
  let told: string | null = null;
  return () => {
    try {
      return existsSync(paths.checks) ? waitingChecks(config.dir) : [];
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message !== told) logger.warn({ folder: paths.checks, error: message }, 'reports of checks cannot be read');
      told = message;
      return [];
    }
  };
}
