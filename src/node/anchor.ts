/** The node's checkpoints on their way to transparency logs. */
import { ANCHOR_WAITS_MS, AnchorAlarm } from '../anchor/alarm.ts';
import { Anchoring } from '../anchor/anchoring.ts';
import type { AnchorBackend } from '../anchor/backend.ts';
import { createLocalBackend } from '../anchor/local-backend.ts';
import { createRekorV1, createRekorV2 } from '../anchor/rekor-api.ts';
import { createRekorBackend } from '../anchor/rekor-backend.ts';
import type { Config } from '../config/config.ts';
import { readTrustRoot } from '../config/trust-root-file.ts';
import { agoMs } from '../core/time.ts';
import { createAnchorSigner } from '../merkle/ecdsa.ts';
import { parseTrustedRoot } from '../merkle/trusted-root.ts';
import { type Base, StartError } from './base.ts';

const MINUTE_MS = 60_000;

/** @throws StartError for a trust root that cannot be read */
export function startAnchoring(base: Base, owned: AsyncDisposableStack): Anchoring {
  const { config, events, logger, writer } = base;
  const { interval, maxAgeMs, retryMs } = config.anchor;
  const alarm = new AnchorAlarm({
    afterMs: ANCHOR_WAITS_MS,
    nowMs: Date.now,
    record: (input) => {
      writer.audit(input).catch((error: unknown) => logger.error({ error }, 'audit failed'));
    },
  });
  const anchoring = new Anchoring({
    journal: writer,
    backends: config.anchor.backends.map((name) =>
      name === 'local' ? createLocalBackend(config.anchor.localPath, Date.now) : rekorOf(base),
    ),
    cadence: { interval, maxAgeMs },
    retryMs,
    nowMs: Date.now,
    traces: base.traces,
    onSubmitted: (backend) => {
      alarm.taken(backend);
      events.anchorSubmitted(backend);
    },
    onFailed: (backend, checkpoint, error) => {
      events.anchorFailed(backend, error.code, error.message);
      alarm.failed(backend, checkpoint, error);
    },
    onError: onceAMinute(base.nowMs, (error) => logger.error({ err: error }, 'anchors cannot be looked after')),
  });
  anchoring.start();
  owned.defer(() => anchoring.stop());
  return anchoring;
}

/** It is tried again each second: on a full disk the same line would be, too. */
function onceAMinute(nowMs: () => number, log: (error: unknown) => void): (error: unknown) => void {
  let told = { message: '', atMs: 0 };
  return (error) => {
    const message = error instanceof Error ? error.message : String(error);
    if (message === told.message && agoMs(told.atMs, nowMs()) < MINUTE_MS) return;
    told = { message, atMs: nowMs() };
    log(error);
  };
}

function rekorOf({ config, http, identity, keys }: Base): AnchorBackend {
  const { rekor } = config.anchor;
  if (rekor === null) throw new Error('no Rekor is configured');
  const text = trustRootOf(config, rekor.trustRootFile);
  const parsed = parseTrustedRoot(text);
  const logs = parsed.ok ? parsed.value : [];
  const api =
    rekor.version === 1 ? createRekorV1(http, rekor.url) : createRekorV2(http, rekor.url, rekor.readUrl, logs);
  const { publicKey } = createAnchorSigner(identity.journalOrigin, keys.anchor.seed);
  return createRekorBackend({ api, trustRoot: text, logs, anchorKey: publicKey });
}

function trustRootOf(config: Config, path: string): string {
  const read = readTrustRoot(path);
  if (read.ok) return read.value;
  const message = `expected a Sigstore trusted_root.json with the keys of ${config.anchor.rekor?.url}, got ${read.error}`;
  const fix =
    'Get the trust root of that Rekor from whoever runs it; that of the public one is in Sigstore’s TUF repository.';
  throw new StartError([{ where: path, key: 'anchor.rekor_trust_root', message, fix }]);
}
