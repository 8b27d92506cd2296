/** Where the page's script verifies: without scripts it says how to do it with a file. */
import type { Html } from './parts.tsx';

export function Verify(props: { kind: 'fact' | 'evidence'; from: string; nodeId: string; peerId: string }): Html {
  const { kind, from, nodeId, peerId } = props;
  return (
    <div class="verdict" data-verify={kind} data-from={from} data-node={nodeId} data-peer={peerId}>
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
