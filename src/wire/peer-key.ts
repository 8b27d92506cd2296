/** The identity key inside of a libp2p peer id, without libp2p: verifiers run where nothing is installed. */
const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
/** identity multihash of the protobuf of an Ed25519 key */
const PREFIX = Buffer.from('002408011220', 'hex');
const KEY_BYTES = 32;
/** Characters of such an id: 38 bytes in base58, the first of them zero. */
const PEER_ID_CHARS = 52;

/** The raw Ed25519 key, 32 bytes, of a peer id (`12D3Koo…`); undefined for any other text. Pure and total. */
export function peerKeyOf(peerId: string): Buffer | undefined {
  if (peerId.length !== PEER_ID_CHARS || !peerId.startsWith('1')) return undefined;
  let value = 0n;
  for (const char of peerId.slice(1)) {
    const digit = ALPHABET.indexOf(char);
    if (digit === -1) return undefined;
    value = value * 58n + BigInt(digit);
  }
  const hex = value.toString(16);
  const bytes = Buffer.concat([Buffer.of(0), Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex')]);
  if (bytes.length !== PREFIX.length + KEY_BYTES || !bytes.subarray(0, PREFIX.length).equals(PREFIX)) return undefined;
  return bytes.subarray(PREFIX.length);
}
