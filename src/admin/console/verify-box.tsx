/** Where the page's script verifies: without scripts it says how to do it with a file. */
import type { Html } from './parts.tsx';

interface Props {
  readonly kind: 'fact' | 'evidence';
  readonly from: string;
  readonly nodeId: string;
  readonly peerId: string;
  /** Id of the fact that the page is about. */
  readonly factId?: string;
}

export function Verify({ kind, from, nodeId, peerId, factId }: Props): Html {
  return (
    <div class="verdict" data-verify={kind} data-from={from} data-node={nodeId} data-peer={peerId} data-fact={factId}>
      <div class="actions">
        <button type="button" data-verify-button hidden>
          Verify in this browser
        </button>
        <span class="muted small" data-verify-hint>
          With scripts this page verifies it by itself. Without: download the file and run{' '}
          <code>{kind === 'fact' ? 'stigmem-peerd verify bundle FILE' : 'node verify.mjs'}</code>.
        </span>
      </div>
      <div data-verify-result role="status" aria-live="polite" />
    </div>
  );
}
