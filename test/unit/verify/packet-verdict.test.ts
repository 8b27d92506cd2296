/** The record in a packet: it is in the signed audit log of whoever shows it, in its one spelling, at its own place. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canonicalJson } from '../../../src/core/canonical-json.ts';
import { encodeBase64 } from '../../../src/merkle/base64.ts';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { entryLeafHash } from '../../../src/merkle/commitment.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { sha256 } from '../../../src/merkle/hash.ts';
import { ALG_ED25519 } from '../../../src/merkle/note.ts';
import { formatVerifierKey } from '../../../src/merkle/verifier-key.ts';
import { identityFromSeed } from '../../../src/transport/identity.ts';
import { encodePacketRecord } from '../../../src/verify/packet-form.ts';
import { EVIDENCE_FILE, judgePacket, RECORD_FILE } from '../../../src/verify/packet-verdict.ts';
import { signDeclaration } from '../../../src/wire/declaration.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { judged } from '../../support/judging.ts';

const NODE = 'stigmem://globex.example';
const JOURNAL = 'globex.example/journal/00000000000000bb';
const AUDIT = 'globex.example/audit/00000000000000bb';
const SEED = Buffer.alloc(32, 5);
const KEY = createLogSigner(AUDIT, Buffer.alloc(32, 6));
const SALT = Buffer.alloc(32, 7);
const AT = '2026-01-01T00:00:00.000000+00:00';

async function declaration(): Promise<string> {
  const { peerId } = await identityFromSeed(SEED);
  const vkey = formatVerifierKey({ name: AUDIT, algorithm: ALG_ED25519, publicKey: KEY.publicKey });
  const key = { algorithm: 'ed25519', not_after: null, not_before: AT, use: 'log', vkey } as const;
  const said = { audit_origin: AUDIT, issued_at: AT, journal_origin: JOURNAL, keys: [key], node_id: NODE };
  return signDeclaration({ ...said, peer_id: String(peerId) }, createLogSigner(NODE, SEED));
}

function evidence(): string {
  const peer = new HonestPeer();
  peer.append({}, { claim: { cid: `sha256:${'0'.repeat(64)}` } });
  const [refused] = judged(peer.page({ feed: 'public', after: 0 }), peer.context()).refused;
  return refused?.evidence.text() ?? '';
}

const EVIDENCE = evidence();
const DIGEST = `sha256:${sha256(EVIDENCE).toString('hex')}`;

/** A packet whose recorder has put that very body into its log, as the only record. */
async function packet(
  body: string,
  bytes: Uint8Array = Buffer.from(EVIDENCE),
): Promise<ReturnType<typeof judgePacket>> {
  const leaf = entryLeafHash(SALT, body);
  const record = {
    body,
    checkpoint: signCheckpoint(AUDIT, 1, leaf, KEY),
    declaration: await declaration(),
    inclusion: [],
    index: 0,
    salt: encodeBase64(SALT),
    v: 1,
  } as const;
  return judgePacket(
    new Map([
      [EVIDENCE_FILE, bytes],
      [RECORD_FILE, encodePacketRecord(record)],
    ]),
  );
}

const BODY = canonicalJson({ at: AT, event: 'federation_integrity_rejected', evidence: DIGEST, seq: 1 });

test('a record of the signed audit log says when the evidence was recorded', async () => {
  const verdict = await packet(BODY);
  assert.equal(verdict.verdict, 'contradiction');
  assert.match(
    verdict.proven.join(' '),
    /globex\.example has recorded this evidence as audit record 1, by its clock at 2026/,
  );
});

test('a record with two spellings, or at another place than it says, is none, whoever has signed it', async () => {
  const other = `sha256:${'1'.repeat(64)}`;
  const bodies = {
    'a member twice': BODY.replace('"evidence":', `"evidence":"${other}","evidence":`),
    'another order': BODY.replace(/^\{("at":"[^"]*"),(.*)\}$/, '{$2,$1}'),
    'white space': BODY.replace('{', '{ '),
    'another place': BODY.replace('"seq":1', '"seq":2'),
    'no place': canonicalJson({ at: AT, evidence: DIGEST }),
  };
  for (const [name, body] of Object.entries(bodies)) assert.equal((await packet(body)).verdict, 'invalid', name);
});

test('bytes that are no UTF-8 are not read as if they were', async () => {
  const text = EVIDENCE.replace('"claimed":"', '"claimed":"\u{fffd}');
  const garbled = Buffer.from(text.replace('\u{fffd}', '?'));
  garbled[garbled.indexOf('"claimed":"?') + 11] = 0xff;
  const digest = `sha256:${sha256(text).toString('hex')}`;
  assert.equal((await packet(BODY.replace(DIGEST, digest), Buffer.from(text))).verdict, 'contradiction');
  assert.equal((await packet(BODY.replace(DIGEST, digest), garbled)).verdict, 'invalid');
});
