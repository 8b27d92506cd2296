import { hash } from 'node:crypto';
import { asciiJsonString } from '../python-text.ts';
import { ok, type Result } from '../result.ts';
import { decodeLenientBase64, encodeBase64url } from './base64url.ts';
import { signWithSeed, verifyWithRawKey } from './ed25519.ts';

/** What a node of the reference says about itself to be registered as a peer. */
export interface Declaration {
  /** Signed in the order given. */
  readonly allowed_scopes: readonly string[];
  readonly federation_pubkey: string;
  readonly node_id: string;
  readonly node_url: string;
  /** Free text to the reference; its age is never checked. */
  readonly signed_at: string;
}

/** The signed text: sorted compact JSON in which, unlike in CIDs, everything outside of printable ASCII is escaped. */
export function declarationText(d: Declaration): string {
  const scopes = d.allowed_scopes.map(asciiJsonString).join(',');
  return `{"allowed_scopes":[${scopes}],"federation_pubkey":${asciiJsonString(d.federation_pubkey)},"node_id":${asciiJsonString(d.node_id)},"node_url":${asciiJsonString(d.node_url)},"signed_at":${asciiJsonString(d.signed_at)}}`;
}

/** Ed25519 over {@link declarationText}, base64url without padding. @param seed 32 bytes */
export function signDeclaration(d: Declaration, seed: Uint8Array): string {
  return encodeBase64url(signWithSeed(seed, Buffer.from(declarationText(d))));
}

/**
 * Checks a declaration as the reference does. A signature that cannot be decoded at all is an error of its own, a key
 * that cannot be is just a wrong one.
 * @param publicKey base64url text of the raw key; need not equal `federation_pubkey`
 */
export function verifyDeclaration(
  d: Declaration,
  signature: string,
  publicKey: string,
): Result<boolean, 'base64_malformed'> {
  const signatureBytes = decodeLenientBase64(signature);
  if (!signatureBytes.ok) return signatureBytes;
  const key = decodeLenientBase64(publicKey);
  return ok(key.ok && verifyWithRawKey(key.value, Buffer.from(declarationText(d)), signatureBytes.value));
}

/** What an operator compares on approval: the hash of the key's base64url text, not of the key. */
export function keyFingerprint(publicKey: string): string {
  return `sha256:${hash('sha256', publicKey, 'hex')}`;
}
