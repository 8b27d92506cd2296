/**
 * Verifies in the reader's own browser: with the verifier that others use too, and the path through the tree once more with
 * WebCrypto, which shares no code with either. What is trusted is what this browser was shown first, until somebody says otherwise.
 */
import { type ProofStep, proofSteps } from '../proof-steps.ts';
import { trustedPeerId } from './trusted.ts';

interface Verdict {
  readonly verdict: string;
  readonly class: string | null;
  readonly proven: readonly string[];
  readonly not_proven: readonly string[];
}

type FactCheck =
  | { readonly ok: true }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message?: string } };

interface Verifier {
  readonly verifyFactBundle: (bundle: string, trust: object) => FactCheck;
  readonly verifyEvidencePacket: (tar: Uint8Array) => Verdict;
}

interface Drawn {
  readonly index: number;
  readonly size: number;
  readonly leaf: string;
  readonly path: readonly string[];
  readonly root: string;
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
  const walked = await walk(document.querySelector('[data-proof]'));
  const lines = checked.ok
    ? [
        'The node’s own key has signed its declaration, and the log key in it this checkpoint.',
        'The entry, with its salt, is the leaf that the proof begins with.',
      ]
    : [`The verifier refuses it: ${checked.error.message ?? checked.error.code}.`];
  const good = checked.ok && walked.good;
  return {
    good,
    title: good ? 'Verified in this browser' : 'Not verified',
    lines: [...lines, walked.line, trusted.sentence],
  };
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
  const walked = proof === null ? [] : [(await walk(proof)).line];
  const title =
    verdict === 'contradiction'
      ? `Verified in this browser: contradiction, class ${kind ?? ''}`
      : verdict === 'accusation'
        ? 'Verified in this browser: an accusation, which the accused has not signed'
        : 'Not verified: the packet shows nothing';
  const left = not_proven.map((sentence) => `Not shown: ${sentence}`);
  return { good: verdict !== 'invalid', title, lines: [...proven, ...walked, ...left] };
}

/** Hashes from the leaf up, and compares every node with the one that the server drew. */
async function walk(picture: Element | null): Promise<{ readonly good: boolean; readonly line: string }> {
  const text = picture instanceof SVGElement ? picture.dataset['proof'] : undefined;
  if (text === undefined) return { good: false, line: 'There is no proof to walk.' };
  const proof = JSON.parse(text) as Drawn;
  const drawn = [...(picture?.querySelectorAll<SVGElement>('[data-hash]') ?? [])].map(({ dataset }) => dataset['hash']);
  const steps = proofSteps(proof.index, proof.size, proof.path);
  let hash = bytesOf(proof.leaf);
  const seen = new Set([proof.leaf]);
  for (const step of steps) {
    hash = await nodeHash(hash, step);
    seen.add(base64Of(hash));
  }
  const good = base64Of(hash) === proof.root && drawn.every((one) => one !== undefined && seen.has(one));
  const number = `${steps.length} ${steps.length === 1 ? 'step' : 'steps'} of SHA-256 by WebCrypto`;
  return good
    ? { good, line: `${number} lead from the leaf to the root of the checkpoint.` }
    : { good, line: `${number} do not lead to the root of the checkpoint.` };
}

/** SHA-256(0x01 ‖ left ‖ right), RFC 9162 §2.1.1 */
async function nodeHash(hash: Uint8Array, { sibling, isRight }: ProofStep): Promise<Uint8Array> {
  const other = bytesOf(sibling);
  const [left, right] = isRight ? [other, hash] : [hash, other];
  const data = new Uint8Array(1 + left.length + right.length);
  data[0] = 1;
  data.set(left, 1);
  data.set(right, 1 + left.length);
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

function base64Of(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
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
