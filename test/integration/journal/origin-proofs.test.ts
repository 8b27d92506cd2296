/** What a node shows of the origin of facts that it relays: nothing that the origin writes keeps the rest from being passed on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnchorRecords } from '../../../src/journal/anchor-records.ts';
import { EntryReader } from '../../../src/journal/entry-reader.ts';
import { OriginProofs } from '../../../src/journal/origin-proofs.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { buildPage } from '../../../src/serve/build-page.ts';
import { decodePage } from '../../../src/wire/page.ts';
import { signRelayPermit } from '../../../src/wire/relay-permit.ts';
import { HonestPeer } from '../../support/honest-peer.ts';
import { IDENTITY, LOG_SEED, NOW_MS, newJournal, pullPage, temporaryFolder } from '../../support/journal-fixture.ts';

test('a fact without the time at which its origin took it is withheld, and those around it are given', (t) => {
  const journal = newJournal(temporaryFolder(t));
  t.after(() => journal.close());
  const origin = new HonestPeer().appendMany(2);
  origin.append({}, { claim: { created_at: '' } });
  origin.append();
  assert.deepEqual(pullPage(journal, origin, 10).appended, { first: 1, last: 4 });
  const { size, checkpoint } = journal.head(0);
  const signer = createLogSigner(IDENTITY.journalOrigin, LOG_SEED);
  const times = { issuedAt: new Date(NOW_MS).toISOString(), notAfter: new Date(NOW_MS + 1_000).toISOString() };
  const built = buildPage(
    new EntryReader(journal.db, signer),
    new AnchorRecords(journal.db),
    new OriginProofs(journal.db),
    {
      receiver: 'stigmem://hooli.example',
      feed: 'from/acme.example/public',
      permit: signRelayPermit({ relay: IDENTITY.nodeId, ...times }, origin.signer),
      after: 0,
      maxEntries: 10,
      maxBytes: 1 << 20,
      checkpoint: { size, note: checkpoint },
      knownSize: 0,
      zstd: false,
    },
    signer,
  );
  const page = built === undefined ? undefined : decodePage(built.frames);
  assert.ok(page?.ok);
  assert.deepEqual(
    page.value.entries.map(({ length }) => length > 0),
    [true, true, false, true],
  );
});
