/**
 * One 32-byte Ed25519 seed per node: its libp2p identity and its own signatures are made with the same key. A peer id
 * contains the key itself (identity multihash), so id and key are the same thing in two notations.
 *
 * @see https://github.com/libp2p/specs/blob/master/peer-ids/peer-ids.md
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey } from '@libp2p/interface';
import { peerIdFromPrivateKey, peerIdFromPublicKey, peerIdFromString } from '@libp2p/peer-id';
import { TransportError } from './errors.ts';

const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');

export interface Identity {
  readonly privateKey: Ed25519PrivateKey;
  /** `12D3Koo…` */
  readonly peerId: string;
  /** 32 bytes */
  readonly publicKey: Uint8Array;
}

/** @throws TransportError `bad_key` unless the seed has 32 bytes */
export async function identityFromSeed(seed: Uint8Array): Promise<Identity> {
  requireBytes(seed, 'an Ed25519 seed');
  // The public key by OpenSSL: libp2p computes it in JavaScript, which takes longer than the rest of opening a node's keys.
  const privateKey = privateKeyFromRaw(Buffer.concat([seed, publicKeyOf(seed)])) as Ed25519PrivateKey;
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey).toString(), publicKey: privateKey.publicKey.raw };
}

/** The peer id of a raw 32-byte Ed25519 public key. @throws TransportError `bad_key` */
export function peerIdOf(publicKey: Uint8Array): string {
  requireBytes(publicKey, 'an Ed25519 public key');
  return peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString();
}

/** The raw 32-byte Ed25519 public key in a peer id. @throws TransportError `bad_key` if it holds none */
export function rawKeyOf(peerId: string): Uint8Array {
  try {
    const parsed = peerIdFromString(peerId);
    if (parsed.type === 'Ed25519') return parsed.publicKey.raw;
  } catch (thrown) {
    throw new TransportError('bad_key', `not a peer id: ${peerId}`, thrown);
  }
  throw new TransportError('bad_key', `peer id ${peerId} holds no Ed25519 key; only 12D3Koo… ids do`);
}

function publicKeyOf(seed: Uint8Array): Uint8Array {
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length);
}

/** Signs messages of one key. `domain` keeps a signature for one purpose from being one for another. */
export type Signer = (domain: string, message: Uint8Array) => Uint8Array;

/** Ed25519 over UTF-8(domain) ‖ 0x00 ‖ message. The key object is made once, which is three times faster. */
export function createSigner(seed: Uint8Array): Signer {
  requireBytes(seed, 'an Ed25519 seed');
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  return (domain, message) => sign(null, separated(domain, message), key);
}

/** Checks what the Signer of this public key made. A signature of any other length or content is just false. */
export type SignatureCheck = (domain: string, message: Uint8Array, signature: Uint8Array) => boolean;

export function createSignatureCheck(publicKey: Uint8Array): SignatureCheck {
  requireBytes(publicKey, 'an Ed25519 public key');
  const key = createPublicKey({ key: Buffer.concat([SPKI_PREFIX, publicKey]), format: 'der', type: 'spki' });
  return (domain, message, signature) =>
    signature.byteLength === SIGNATURE_BYTES && verify(null, separated(domain, message), key, signature);
}

function separated(domain: string, message: Uint8Array): Buffer {
  if (domain === '' || domain.includes('\0'))
    throw new TypeError('a signing domain is a non-empty text without NUL, or two domains could mean the same bytes');
  return Buffer.concat([Buffer.from(`${domain}\0`, 'utf8'), message]);
}

function requireBytes(bytes: Uint8Array, what: string): void {
  if (bytes.byteLength !== KEY_BYTES)
    throw new TransportError('bad_key', `${what} has ${KEY_BYTES} bytes, not ${bytes.byteLength}`);
}
