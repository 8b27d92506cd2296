/** The evidence of a refusal: claimed against computed, the proof that came with it, the file, and the verdict of this browser. */
import { decodeBase64 } from '../../../merkle/base64.ts';
import { entryLeafHash } from '../../../merkle/commitment.ts';
import { decodeEvidence, type EvidenceForm } from '../../../verify/evidence-form.ts';
import type { AuditDetail } from '../answers.ts';
import { path } from '../ask.ts';
import { Compare } from '../compare.tsx';
import { Body, Code, Empty, type Html, Pairs, Panel } from '../parts.tsx';
import { type DrawnProof, drawnProof, ProofPath } from '../proof-path.tsx';
import { Verify } from '../verify-box.tsx';

export function Evidence({ detail }: { detail: AuditDetail }): Html {
  const { record } = detail;
  const difference = differenceIn(detail);
  const form = formIn(detail.evidence);
  const proof = form === null ? null : proofIn(form);
  return (
    <>
      {difference === null ? null : (
        <Panel
          title="Claimed against computed"
          aside={difference.field === null ? '' : <Code>{difference.field}</Code>}
        >
          <Body>
            <Compare claimed={difference.claimed} computed={difference.computed} />
          </Body>
        </Panel>
      )}
      {record.evidence === null ? (
        <Panel title="Evidence">
          <Empty>This record has no evidence of its own.</Empty>
        </Panel>
      ) : (
        <Panel title="Evidence" aside={form === null ? '' : form.form.class}>
          <Body>
            <div class="stack">
              {form === null ? null : <Accused form={form} />}
              <Verify
                kind="evidence"
                from={path`/console/records/${record.seq}/evidence?page=true`}
                nodeId={form?.form.peer.node_id ?? ''}
                peerId=""
              />
              <div class="actions">
                <a class="button" href={path`/console/records/${record.seq}/evidence`} download>
                  Download evidence
                </a>
                <a class="button" href={path`/console/records/${record.seq}/evidence?page=true`} download>
                  With the page it came in
                </a>
              </div>
              <p class="muted small">
                A tar that explains itself: README.txt says what it shows, <code>node verify.mjs</code> checks it
                without this node. The page may hold other facts.
              </p>
            </div>
          </Body>
        </Panel>
      )}
      {proof === null ? null : (
        <Panel title="Proof that came with it" aside="from the peer">
          <Body>
            <ProofPath proof={proof} />
          </Body>
        </Panel>
      )}
    </>
  );
}

function Accused({ form }: { form: EvidenceForm }): Html {
  const { peer, reason } = form.form;
  return (
    <Pairs
      pairs={[
        ['Accused', <Code>{peer.node_id}</Code>],
        ['Its log', <Code>{peer.origin}</Code>],
        ['Log key', <Code>{peer.log_key}</Code>],
        ['Reason', <Code>{reason}</Code>],
      ]}
    />
  );
}

interface Difference {
  readonly field: string | null;
  readonly claimed: unknown;
  readonly computed: unknown;
}

/** From the record, which every refusal has; from its evidence where the record says nothing. */
function differenceIn({ record, evidence }: AuditDetail): Difference | null {
  const told = member(record.detail, 'difference');
  const claimed = member(told, 'claimed') ?? member(evidence, 'claimed') ?? null;
  const computed =
    member(told, 'computed') ?? member(evidence, 'computed') ?? member(record.detail, 'computed_cid') ?? null;
  const field = member(told, 'field') ?? member(evidence, 'first_difference') ?? null;
  if (claimed === null && computed === null) return null;
  return { field: typeof field === 'string' ? field : null, claimed, computed };
}

/** Texts of evidence have one encoding, so that what was parsed is written out as it was. */
function formIn(evidence: unknown): EvidenceForm | null {
  if (evidence === null || evidence === undefined) return null;
  const form = decodeEvidence(JSON.stringify(evidence));
  return form.ok ? form.value : null;
}

function proofIn(evidence: EvidenceForm): DrawnProof | null {
  if (evidence.kind !== 'fact') return null;
  const { checkpoint, received } = evidence.form;
  const entry = decodeBase64(received.entry);
  const salt = decodeBase64(received.salt);
  if (checkpoint === null || received.inclusion === null || entry === undefined || salt === undefined) return null;
  return drawnProof(checkpoint, { leaf: entryLeafHash(salt, entry), index: received.index, path: received.inclusion });
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
