import assert from 'node:assert/strict';
import {
  type Declaration,
  declarationText,
  keyFingerprint,
  signDeclaration,
  verifyDeclaration,
} from '../../src/core/reference/declaration.ts';
import { runVectors } from './run-vectors.ts';

interface Sign {
  fields: Declaration;
  private_seed_b64url: string;
  expected: { canonical: string; declaration_sig: string; fingerprint: string };
}
interface Verify {
  fields: Declaration;
  declaration_sig: string;
  pubkey: string;
  expected: boolean | { error: string };
}

runVectors('declaration', {
  sign({ fields, private_seed_b64url, expected }: Sign) {
    assert.equal(declarationText(fields), expected.canonical);
    assert.equal(signDeclaration(fields, Buffer.from(private_seed_b64url, 'base64url')), expected.declaration_sig);
    assert.equal(keyFingerprint(fields.federation_pubkey), expected.fingerprint);
    assert.deepEqual(verifyDeclaration(fields, expected.declaration_sig, fields.federation_pubkey), {
      ok: true,
      value: true,
    });
  },

  verify({ fields, declaration_sig, pubkey, expected }: Verify) {
    const result = verifyDeclaration(fields, declaration_sig, pubkey);
    if (typeof expected === 'object') return assert.equal(result.ok, false);
    assert.deepEqual(result, { ok: true, value: expected });
  },

  fingerprint({ pubkey, expected }: { pubkey: string; expected: string }) {
    assert.equal(keyFingerprint(pubkey), expected);
  },
});
