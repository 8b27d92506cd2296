/** A transparency log of two entries that answers as Rekor v1 or v2 does. The real ones: test/interop. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { canonicalJson } from '../../src/core/canonical-json.ts';
import type { AnchorReceipt } from '../../src/merkle/anchor-receipt.ts';
import { leafHash, nodeHash } from '../../src/merkle/hash.ts';
import { ALG_ECDSA, parseNote } from '../../src/merkle/note.ts';
import { rekorBody } from '../../src/merkle/rekor-entry.ts';
import { verifierKeyId } from '../../src/merkle/verifier-key.ts';

const NAME = 'rekor.example';

export class SmallRekor {
  /** Text of a Sigstore trusted root that names this log. */
  readonly trustRoot: string;
  readonly #version: 1 | 2;
  readonly #id = Buffer.alloc(32, 9);
  readonly #key = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });

  constructor(version: 1 | 2) {
    this.#version = version;
    const spki = this.#key.publicKey.export({ format: 'der', type: 'spki' });
    this.#id.writeUInt32BE(verifierKeyId({ name: '', algorithm: ALG_ECDSA, publicKey: spki }));
    const publicKey = { rawBytes: spki.toString('base64'), keyDetails: 'PKIX_ECDSA_P256_SHA_256' };
    const logId = { keyId: this.#id.toString('base64') };
    this.trustRoot = JSON.stringify({
      mediaType: 'application/vnd.dev.sigstore.trustedroot+json;version=0.1',
      tlogs: [{ baseUrl: `https://${NAME}`, hashAlgorithm: 'SHA2_256', publicKey, logId }],
    });
  }

  /** @param checkpoint signed note, its second line by the anchor key @param anchorKey SPKI DER */
  receipt(checkpoint: string, anchorKey: Uint8Array): AnchorReceipt {
    const note = parseNote(checkpoint);
    if (!note.ok) throw new TypeError('a checkpoint is a note');
    const { text, signatures } = note.value;
    const signature = signatures[1]?.signature ?? Buffer.alloc(0);
    const body = Buffer.from(rekorBody(this.#version, { text, signature, publicKey: anchorKey }));
    const [other, leaf] = [Buffer.alloc(32, 1), leafHash(body)];
    const root = nodeHash(other, leaf);
    const proof = { other, root, checkpoint: this.#checkpoint(root) };
    const isDated = this.#version === 1;
    return {
      backend: 'rekor',
      checkpoint,
      entry: isDated ? this.#entry1(body, leaf, proof) : this.#entry2(body, proof),
      integrated_time: isDated ? 1_800_000_000 : null,
      leaf_hash: leaf.toString('hex'),
      log_id: this.#id.toString('hex'),
      log_index: 1,
      tree_size: Number(text.split('\n')[1]),
      v: 1,
    };
  }

  #sign(text: string): Buffer {
    return sign('sha256', Buffer.from(text), this.#key.privateKey);
  }

  #checkpoint(root: Buffer): string {
    const text = `${NAME} - 42\n2\n${root.toString('base64')}\n`;
    const line = Buffer.concat([this.#id.subarray(0, 4), this.#sign(text)]);
    return `${text}\n— ${NAME} ${line.toString('base64')}\n`;
  }

  #entry1(body: Buffer, leaf: Buffer, { other, root, checkpoint }: Proof): object {
    const logID = this.#id.toString('hex');
    const stated = { body: body.toString('base64'), integratedTime: 1_800_000_000, logID, logIndex: 1 };
    const hashes = [other.toString('hex')];
    const inclusionProof = { checkpoint, hashes, logIndex: 1, rootHash: root.toString('hex'), treeSize: 2 };
    const signedEntryTimestamp = this.#sign(canonicalJson(stated)).toString('base64');
    return { ...stated, uuid: leaf.toString('hex'), verification: { inclusionProof, signedEntryTimestamp } };
  }

  #entry2(body: Buffer, { other, root, checkpoint }: Proof): object {
    const [hashes, rootHash] = [[other.toString('base64')], root.toString('base64')];
    return {
      logIndex: '1',
      logId: { keyId: this.#id.toString('base64') },
      kindVersion: { kind: 'hashedrekord', version: '0.0.2' },
      integratedTime: '0',
      inclusionProof: { logIndex: '1', rootHash, treeSize: '2', hashes, checkpoint: { envelope: checkpoint } },
      canonicalizedBody: body.toString('base64'),
    };
  }
}

interface Proof {
  readonly other: Buffer;
  readonly root: Buffer;
  readonly checkpoint: string;
}
