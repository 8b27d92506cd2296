/**
 * Verifies in the reader's own browser, with the verifier that others use too. The node that is verified sends this script: against
 * the node itself only a verifier helps that came from elsewhere. What is trusted is what this browser was shown first, until somebody says otherwise.
 */
import { trustedPeerId } from './trusted.ts';
import { drawnPath, pathOfBundle, walk } from './walk.ts';

interface Verdict {
  readonly verdict: string;
  readonly class: string | null;
  readonly proven: readonly string[];
  readonly not_proven: readonly string[];
}

/** Every member stands in the entry that was proved. */
interface ProvenFact {
  readonly id: string;
  readonly entity: string;
  readonly relation: string;
  readonly valueText: string;
  readonly source: string;
  readonly proof: { readonly index: number; readonly treeSize: number; readonly root: string } | null;
}

type FactCheck =
  | { readonly ok: true; readonly value: ProvenFact }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message?: string } };

interface Verifier {
  readonly verifyFactBundle: (bundle: string, trust: object) => FactCheck;
  readonly verifyEvidencePacket: (tar: Uint8Array) => Verdict;
}

interface Outcome {
  readonly good: boolean;
  readonly title: string;
  readonly lines: readonly string[];
}

export function startVerify(): void {
  for (const box of document.querySelectorAll<HTMLElement>('[data-verify]')) {
    const button = box.querySelector<HTMLButtonElement>('[data-verify-button]');
    if (button === null) continue;
    button.hidden = false;
    box.querySelector('[data-verify-hint]')?.remove();
    button.addEventListener('click', () => void run(box, button));
  }
}

async function run(box: HTMLElement, button: HTMLButtonElement): Promise<void> {
  const place = box.querySelector('[data-verify-result]');
  if (place === null) return;
  button.disabled = true;
  place.replaceChildren(element('p', 'muted', 'Verifying…'));
  const outcome = await (box.dataset['verify'] === 'fact' ? verifyFact(box) : verifyEvidence(box)).catch(failed);
  place.replaceChildren(...shown(outcome));
  button.disabled = false;
}

function failed(error: unknown): Outcome {
  return {
    good: false,
    title: 'Could not be verified',
    lines: [error instanceof Error ? error.message : String(error)],
  };
}

async function loadVerifier(): Promise<Verifier> {
  const at = document.querySelector<HTMLElement>('script[data-verifier]')?.dataset['verifier'] ?? '';
  return (await import(at)) as Verifier;
}

async function fetched(box: HTMLElement): Promise<Response> {
  const response = await fetch(box.dataset['from'] ?? '', { credentials: 'same-origin' });
  if (!response.ok) throw new Error(`the node answered ${response.status}`);
  return response;
}

async function verifyFact(box: HTMLElement): Promise<Outcome> {
  const [verifier, response] = await Promise.all([loadVerifier(), fetched(box)]);
  const bundle = await response.text();
  const nodeId = box.dataset['node'] ?? '';
  const trusted = trustedPeerId(nodeId, box.dataset['peer'] ?? '');
  const checked = verifier.verifyFactBundle(bundle, { nodes: [{ nodeId, peerId: trusted.peerId }] });
  if (!checked.ok) {
    const { code, message } = checked.error;
    return {
      good: false,
      title: 'Not verified',
      lines: [`The verifier refuses it: ${message ?? code}.`, trusted.sentence],
    };
  }
  const { id, entity, relation, valueText, source, proof } = checked.value;
  const path = proof === null ? null : await pathOfBundle(bundle, proof);
  const walked = await walk(path, document.querySelector('[data-proof]'));
  const wanted = box.dataset['fact'] ?? '';
  const good = id === wanted && walked.good;
  const lines = [
    'The node’s own key has signed its declaration, and the log key in it this checkpoint.',
    walked.line,
    ...(id === wanted ? [] : [`The page is about fact ${wanted}, and this proves ${id}.`]),
    // Out of the bundle, and not of the page: these are what was proved.
    `Entity: ${entity}`,
    `Relation: ${relation}`,
    `Value: ${valueText}`,
    `Source: ${source}`,
    trusted.sentence,
  ];
  return { good, title: good ? 'Verified in this browser' : 'Not verified', lines };
}

async function verifyEvidence(box: HTMLElement): Promise<Outcome> {
  const [verifier, response] = await Promise.all([loadVerifier(), fetched(box)]);
  const {
    verdict,
    class: kind,
    proven,
    not_proven,
  } = verifier.verifyEvidencePacket(new Uint8Array(await response.arrayBuffer()));
  const proof = document.querySelector('[data-proof]');
  const walked = proof === null ? [] : [(await walk(drawnPath(proof), proof)).line];
  const title =
    verdict === 'contradiction'
      ? `Verified in this browser: contradiction, class ${kind ?? ''}`
      : verdict === 'accusation'
        ? 'Verified in this browser: an accusation, which the accused has not signed'
        : 'Not verified: the packet shows nothing';
  const left = not_proven.map((sentence) => `Not shown: ${sentence}`);
  return { good: verdict !== 'invalid', title, lines: [...proven, ...walked, ...left] };
}

function shown({ good, title, lines }: Outcome): readonly Element[] {
  const head = element('p', '', '');
  head.append(element('span', `pill ${good ? 'good' : 'critical'}`, title));
  const list = document.createElement('ol');
  list.append(...lines.map((line) => element('li', '', line)));
  return [head, list];
}

function element(name: string, kind: string, text: string): HTMLElement {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}
