/** The reference's Python SDK asks our recall, and checks what it gets with its own functions. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { getRequestListener } from '@hono/node-server';
import { createLocalBackend } from '../../src/anchor/local-backend.ts';
import { type FolderApi, openFolderApi } from '../support/data-folder.ts';
import { pythonWithPackages } from './programs/python.ts';

const run = promisify(execFile);
const CLIENT = `
import json, sys
from importlib.metadata import version
from stigmem import StigmemClient, StigmemVerificationError, verify_fact_cid, verify_fact_chain_proof, text_value
url, key = sys.argv[1:]
client = StigmemClient(url, key)
answer = client.recall("walrus", scope="public", verify_full=True)
for scored in answer.facts:
    verify_fact_cid(scored.fact)
verify_fact_chain_proof(answer.chain_proof, require_checkpoint=True)
forged = answer.chain_proof.model_copy(update={"head_hash": "sha256:" + "0" * 64})
try:
    verify_fact_chain_proof(forged, require_checkpoint=True)
    refused = False
except StigmemVerificationError:
    refused = True
print(json.dumps({"sdk": version("stigmem-py"), "facts": len(answer.facts), "refused": refused,
                  "content": len(answer.content or []), "covered": answer.chain_proof.checkpoint.covered_chain_seq}))
`;

async function anchor({ base, dir }: FolderApi): Promise<void> {
  await base.writer.makeDueAnchors({ interval: 1, maxAgeMs: 0 });
  const backend = createLocalBackend(join(dir, 'anchors.jsonl'), Date.now);
  for (;;) {
    const next = await base.writer.nextAnchor('local');
    if (next === null) return;
    await base.writer.saveAnchorReceipt(next.id, await backend.submit(next, new AbortController().signal));
  }
}

test('verify_fact_cid and verify_fact_chain_proof(require_checkpoint=True) accept our recall', async (t) => {
  const python = await pythonWithPackages();
  const api = await openFolderApi();
  t.after(() => api.close());
  for (const v of ['the walrus sings', 'the walrus sleeps']) {
    const body = { entity: `e:${v}`, relation: 'x:note', source: 's', value: { type: 'text', v }, scope: 'public' };
    assert.equal((await api.send('/v1/facts', { as: 'full', body })).status, 201);
  }
  await anchor(api);
  // A checkpoint behind the head is what the SDK refuses: the proof has to be cut at it.
  const late = {
    entity: 'e:late',
    relation: 'x:note',
    source: 's',
    value: { type: 'text', v: 'late walrus' },
    scope: 'public',
  };
  assert.equal((await api.send('/v1/facts', { as: 'full', body: late })).status, 201);

  const server = createServer(getRequestListener(api.api.fetch));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const { stdout } = await run(python, ['-c', CLIENT, `http://127.0.0.1:${port}`, api.keys.ro]);
  const result = JSON.parse(stdout) as Record<string, unknown>;
  console.log(`stigmem-py ${result['sdk']}`);
  assert.deepEqual({ ...result, sdk: null }, { sdk: null, facts: 3, refused: true, content: 3, covered: 2 });
});
