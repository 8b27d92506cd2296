/** A cosignature that is dated after the end of its key does not count, whoever asks for it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cosign } from '../../../src/merkle/cosignature.ts';
import { formatSignatureLine, parseNote } from '../../../src/merkle/note.ts';
import { MeshNode } from '../../support/mesh-node.ts';

const MADE_S = 1_790_000_000;

test('lines made before the end of the key are kept, later ones are not', async (t) => {
  const node = await MeshNode.create('globex.example').then((made) => made.start());
  t.after(() => node.stop());
  await node.assertFact('s1');
  const { size, note } = await node.base.writer.servedHead(0);
  const parsed = parseNote(note);
  assert.ok(parsed.ok);
  const signer = node.witnessSigner; // any witness will do
  const line = formatSignatureLine(cosign(parsed.value.text, MADE_S, signer));
  const collect = (endsAtS: number | null): Promise<number> =>
    node.base.writer.collectCosignatures(size, line, [{ name: signer.name, key: signer.publicKey, endsAtS }]);

  assert.equal(await collect(MADE_S - 1), 0);
  assert.equal(await collect(MADE_S), 0);
  assert.equal((await node.base.writer.servedHead(0)).note, note, 'nothing is kept');
  assert.equal(await collect(MADE_S + 1), 1);
  assert.ok((await node.base.writer.servedHead(0)).note.endsWith(line));
  assert.equal(await collect(null), 1);
});
