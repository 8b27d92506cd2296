/** A reader holds a node to the journal that it saw first. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { VerificationError } from '../../../src/client/errors.ts';
import { History } from '../../../src/client/history.ts';
import { MemoryStore } from '../../../src/client/stores.ts';
import { signCheckpoint } from '../../../src/merkle/checkpoint.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { sha256 } from '../../../src/merkle/hash.ts';
import { parseNote } from '../../../src/merkle/note.ts';
import type { ProvenCheckpoint } from '../../../src/verify/reader-trust.ts';

const NODE = 'stigmem://acme.example';
const [FIRST, SECOND] = ['acme.example/journal/0000000000000001', 'acme.example/journal/0000000000000002'];

function checkpointOf(origin: string, owner: string | null, size = 3): ProvenCheckpoint {
  const root = sha256(Buffer.from(`${origin} ${size}`));
  const note = parseNote(signCheckpoint(origin, size, root, createLogSigner(origin, Buffer.alloc(32, 1))));
  assert.ok(note.ok);
  return { origin, size, root, note: note.value, owner, cosigned: [] };
}

function historyOver(store: MemoryStore, named: ReadonlyMap<string, string> = new Map()): History {
  return new History(store, named, async () => null);
}

test('another journal of a node that is trusted is refused, by a reader that comes back too', async () => {
  const store = new MemoryStore();
  await historyOver(store).accept(checkpointOf(FIRST, NODE));
  for (const size of [3, 1, 9]) {
    await assert.rejects(historyOver(store).accept(checkpointOf(SECOND, NODE, size)), (error) => {
      assert.ok(error instanceof VerificationError);
      assert.deepEqual([error.code, error.checkpoints.length], ['log_switched', 2]);
      assert.match(error.message, /trust\.nodes as origin/);
      return true;
    });
  }
  assert.equal(await store.load(SECOND), undefined, 'nothing of it is kept');
  await historyOver(store).accept(checkpointOf(FIRST, NODE));
});

test('a journal that is named replaces the one that was kept, and stays when the name is left out again', async () => {
  const store = new MemoryStore();
  await historyOver(store).accept(checkpointOf(FIRST, NODE));
  const named = new Map([[NODE, SECOND]]);
  await assert.rejects(historyOver(store, named).accept(checkpointOf(FIRST, NODE)), { code: 'log_switched' });
  await historyOver(store, named).accept(checkpointOf(SECOND, NODE));
  await historyOver(store).accept(checkpointOf(SECOND, NODE));
  await assert.rejects(historyOver(store).accept(checkpointOf(FIRST, NODE)), { code: 'log_switched' });
});

test('a name that is given is asked for at first sight already', async () => {
  const named = new Map([[NODE, SECOND]]);
  const refused = historyOver(new MemoryStore(), named).accept(checkpointOf(FIRST, NODE));
  await assert.rejects(refused, { code: 'log_switched' });
});

test('logs whose keys were given are held to nothing but their own history', async () => {
  const history = historyOver(new MemoryStore());
  await history.accept(checkpointOf(FIRST, null));
  await history.accept(checkpointOf(SECOND, null));
});
