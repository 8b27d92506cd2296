/** What ours makes of the JSON kinds, and of policies: as a client of the library would ask it. */

import type { TrustOptions } from '../../../src/client/trust.ts';
import { verifyCheckpoint, verifyFactBundle } from '../../../src/client/verify.ts';
import { checkAnchorReceipt, parseAnchorReceipt } from '../../../src/merkle/anchor-receipt.ts';
import { decodeUtf8 } from '../../../src/merkle/note.ts';
import { parseTrustedRoot } from '../../../src/merkle/trusted-root.ts';
import { judgeEvidence } from '../../../src/verify/evidence-verdict.ts';

export type ReaderCase =
  | { readonly kind: 'bundle'; readonly bundle: string; readonly trust: TrustOptions }
  | {
      readonly kind: 'anchor';
      readonly receipt: string;
      readonly origin: string;
      /** SPKI */
      readonly key: string;
      /** JSON of the trusted root, as text. */
      readonly root: string;
    }
  | { readonly kind: 'policy'; readonly policy: string; readonly note: string }
  | { readonly kind: 'evidence'; readonly evidence: string };

const raw = (text: string): Buffer => Buffer.from(text, 'base64');

/** Null: taken; else why not. */
export function judgeReader(one: ReaderCase): string | null {
  switch (one.kind) {
    case 'bundle': {
      const verified = verifyFactBundle(raw(one.bundle), one.trust);
      return verified.ok ? null : `${verified.error.code}: ${verified.error.message}`;
    }
    case 'anchor':
      return judgeAnchor(one);
    case 'policy':
      return judgePolicy(one);
    case 'evidence':
      return evidenceClass(one) === null ? 'no contradiction' : null;
  }
}

/** Class of the contradiction that it shows. */
export function evidenceClass({ evidence }: Extract<ReaderCase, { kind: 'evidence' }>): string | null {
  const text = decodeUtf8(raw(evidence));
  return text === undefined ? null : judgeEvidence(text).class;
}

function judgeAnchor({ receipt, origin, key, root }: Extract<ReaderCase, { kind: 'anchor' }>): string | null {
  const logs = parseTrustedRoot(root);
  const text = decodeUtf8(raw(receipt));
  const read = text === undefined ? undefined : parseAnchorReceipt(text);
  if (!logs.ok || read?.ok !== true) return 'anchor_malformed';
  const checked = checkAnchorReceipt(read.value, { origin, anchorKey: raw(key), logs: logs.value });
  return checked.ok ? null : checked.error;
}

/** The policy is the reader's own: one that is none is its error, not a verdict. */
function judgePolicy({ policy, note }: Extract<ReaderCase, { kind: 'policy' }>): string | null {
  const text = decodeUtf8(raw(policy));
  if (text === undefined) return 'not UTF-8';
  try {
    const verified = verifyCheckpoint(raw(note), { policy: text });
    return verified.ok ? null : verified.error.code;
  } catch (error) {
    if (error instanceof TypeError) return error.message;
    throw error;
  }
}
