/** Receipts of transparency logs, by the keys of the logs: what an anchor says is the logs' word, not the file's. */
import type { AnchorReceipt } from '../../merkle/anchor-receipt.ts';
import { judgeReceipt } from '../../verify/fact-bundle-verdict.ts';
import type { AnchorRequirement } from '../../verify/reader-trust.ts';
import type { Findings } from './report.ts';

export class ReceiptCheck {
  readonly #trust: AnchorRequirement | null;
  #unverified = 0;

  /** @param trust null: there is nothing to verify by, which {@link finish} says */
  constructor(trust: AnchorRequirement | null) {
    this.#trust = trust;
  }

  /**
   * Verifies a receipt; one of a local log is nobody else's word, and is let through.
   *
   * @param origin the log that was anchored
   * @returns why it does not verify, in words
   */
  faultOf(receipt: AnchorReceipt, origin: string, { checked }: Findings): string | undefined {
    if (receipt.backend === 'local') return undefined;
    if (this.#trust === null) {
      this.#unverified++;
      return undefined;
    }
    const judged = judgeReceipt(receipt, origin, this.#trust.keys, this.#trust.logs);
    if (!judged.ok) return `the receipt of ${receipt.backend} ${receipt.log_index} does not verify (${judged.error})`;
    checked.verified_receipts++;
    return undefined;
  }

  finish(findings: Findings): void {
    if (this.#unverified === 0) return;
    const [count, was] = this.#unverified === 1 ? ['1 receipt', 'was'] : [`${this.#unverified} receipts`, 'were'];
    const detail = `${count} ${was} compared, not verified: give --trust-root and --anchor-key`;
    findings.notice('receipts_not_verified', detail);
  }
}
