/** Reports of the machine's trusted execution environment about this node's checkpoints. */
import { hash } from 'node:crypto';
import { TeeReporting } from '../anchor/tee-reporting.ts';
import { TSM_FOLDER, type TsmFolder, takeTsmReport, tsmFolder } from '../anchor/tsm-report.ts';
import { type Base, StartError } from './base.ts';

/** @throws StartError where reports are asked for and the kernel offers none */
export function startTee(base: Base, owned: AsyncDisposableStack, folder: TsmFolder = tsmFolder(TSM_FOLDER)): void {
  const { config, events, identity, logger, writer } = base;
  if (!config.tee.reports) return;
  if (!folder.exists()) throw new StartError([NO_TSM]);
  const name = `stigmem-peerd-${hash('sha256', identity.journalOrigin).slice(0, 16)}`;
  let isFailing = false;
  const reporting = new TeeReporting({
    journal: writer,
    take: (nonce) => takeTsmReport(folder, name, nonce),
    retryMs: config.anchor.retryMs,
    nowMs: Date.now,
    onReported: (provider) => {
      isFailing = false;
      events.teeReported(provider);
    },
    onFailed: ({ log, treeSize }, code, message) => {
      events.teeFailed(code, message);
      if (isFailing) return; // once, until a report is taken again
      isFailing = true;
      const detail = { log, tree_size: treeSize, error: message };
      writer.audit({ event: 'tee_report_failed', reason: code, detail }).catch((error: unknown) => {
        logger.error({ error }, 'audit failed');
      });
    },
    onError: (error) => logger.error({ err: error }, 'reports of the execution environment cannot be looked after'),
  });
  reporting.start();
  owned.defer(() => reporting.stop());
}

const NO_TSM = {
  where: TSM_FOLDER,
  key: 'tee.reports',
  message:
    'expected configfs-tsm there, got no such folder: this machine is no TDX or SEV-SNP guest, or its kernel (6.7 or newer) has no module for it loaded',
  fix: 'Load tdx_guest or sev-guest and mount configfs, or set tee.reports = false.',
};
