/** The path from a leaf to the root once more with WebCrypto, which shares no code with the verifier. */
import { type ProofStep, proofSteps } from '../proof-steps.ts';

export interface Path {
  readonly index: number;
  readonly size: number;
  readonly leaf: string;
  readonly path: readonly string[];
  readonly root: string;
}

export interface Walked {
  readonly good: boolean;
  readonly line: string;
}

/** What a verified bundle proves: the leaf is hashed from its entry, the rest was checked by the verifier. */
export async function pathOfBundle(
  text: string,
  { index, treeSize, root }: { readonly index: number; readonly treeSize: number; readonly root: string },
): Promise<Path> {
  const { proof, entry, salt } = JSON.parse(text) as { proof: string; entry: string; salt: string };
  const head = proof.split('\n\n', 1)[0]?.split('\n') ?? [];
  const path = head.slice(head.findIndex((line) => line.startsWith('index ')) + 1);
  const committed = await sha256(utf8('stigmem-entry/v1\n'), bytesOf(salt), utf8(entry));
  return { index, size: treeSize, leaf: base64Of(await sha256(Uint8Array.of(0, 1), committed)), path, root };
}

/** What a page drew. */
export function drawnPath(picture: Element | null): Path | null {
  const text = picture instanceof SVGElement ? picture.dataset['proof'] : undefined;
  return text === undefined ? null : (JSON.parse(text) as Path);
}

/** Hashes from the leaf up, and compares every node with the one that the server drew. */
export async function walk(proof: Path | null, picture: Element | null): Promise<Walked> {
  if (proof === null) return { good: false, line: 'There is no proof to walk.' };
  const drawn = [...(picture?.querySelectorAll<SVGElement>('[data-hash]') ?? [])].map(({ dataset }) => dataset['hash']);
  const steps = proofSteps(proof.index, proof.size, proof.path);
  let hash = bytesOf(proof.leaf);
  const seen = new Set([proof.leaf]);
  for (const step of steps) {
    hash = await nodeHash(hash, step);
    seen.add(base64Of(hash));
  }
  const number = `${steps.length} ${steps.length === 1 ? 'step' : 'steps'} of SHA-256 by WebCrypto`;
  if (base64Of(hash) !== proof.root)
    return { good: false, line: `${number} do not lead to the root of the checkpoint.` };
  return drawn.every((one) => one !== undefined && seen.has(one))
    ? { good: true, line: `${number} lead from the leaf to the root of the checkpoint.` }
    : { good: false, line: 'The path that this page draws is another one.' };
}

/** SHA-256(0x01 ‖ left ‖ right), RFC 9162 §2.1.1 */
function nodeHash(hash: Uint8Array, { sibling, isRight }: ProofStep): Promise<Uint8Array> {
  const other = bytesOf(sibling);
  return isRight ? sha256(Uint8Array.of(1), other, hash) : sha256(Uint8Array.of(1), hash, other);
}

async function sha256(...parts: readonly Uint8Array[]): Promise<Uint8Array> {
  const data = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    data.set(part, at);
    at += part.length;
  }
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
}

function base64Of(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes));
}
