/** What a node leaves with a peer and gets back after a restore: sealed notes, and the messages that carry them. */
import {
  decodeKeepAnswer,
  decodeKeepRequest,
  encodeKeepAnswer,
  encodeKeepRequest,
  type SealedNote,
} from '../../../src/wire/keep.ts';
import { decodeRecoverRequest, encodeRecoverRequest } from '../../../src/wire/recover.ts';
import { decodeNotesAnswer, encodeNotesAnswer } from '../../../src/wire/recover-notes.ts';
import {
  decodeRestoreNote,
  encodeRestoreNote,
  type NotedRange,
  openRestoreNote,
  type RestoreNote,
  restoreNoteKey,
  sealRestoreNote,
} from '../../../src/wire/restore-note.ts';
import { fuzzPeer, message } from './pure-targets.ts';
import { expect, type Target } from './target.ts';

const peer = fuzzPeer();
const key = restoreNoteKey(Buffer.alloc(32, 8));
const notes: readonly RestoreNote[] = [
  { firstSeq: 1, previousHash: null },
  { firstSeq: 42, previousHash: peer.root() },
].map((head) => ({
  ...head,
  firstFeedSeq: 1,
  createdUs: 1_800_000_000_000_000,
  digest: peer.root(),
  entries: [0, 2].map((place) => ({ place, salt: Buffer.alloc(32, place) })),
}));
const rangeOf = (after: number): NotedRange => ({
  receiver: 'stigmem://globex.example',
  sender: peer.nodeId,
  feed: 'public',
  after,
  to: after + 3,
});
const sealed: readonly SealedNote[] = notes.map((note, after) => ({
  after,
  feed: 'public',
  sealed: sealRestoreNote(note, rangeOf(after), key, Buffer.alloc(12, after)).toString('base64'),
  to: after + 3,
}));

const restoreNote: Target = {
  name: 'restore-note',
  corpus: notes.map((note) => encodeRestoreNote(note)),
  run(input) {
    const note = decodeRestoreNote(input);
    if (note === null) return;
    expect(input.equals(encodeRestoreNote(note)), 'a note has one encoding');
    // Sealed by the right key: what lies behind the check of the seal is reached.
    openRestoreNote(sealRestoreNote(note, rangeOf(0), key, Buffer.alloc(12)), rangeOf(0), key);
  },
};

const sealedNote: Target = {
  name: 'sealed-note',
  corpus: sealed.map((note) => Buffer.from(note.sealed, 'base64')),
  run(input) {
    openRestoreNote(input, rangeOf(0), key);
  },
};

export const KEPT_TARGETS: readonly Target[] = [
  restoreNote,
  sealedNote,
  message(
    'notes-request',
    [encodeRecoverRequest({ feeds: [{ after: 3, feed: 'public' }], kind: 'notes', skip: 2, v: 1 })],
    decodeRecoverRequest,
    encodeRecoverRequest,
  ),
  message('notes-answer', [encodeNotesAnswer(sealed), encodeNotesAnswer([])], decodeNotesAnswer, (answer) =>
    encodeNotesAnswer(answer.notes),
  ),
  message('keep-request', [encodeKeepRequest(sealed), encodeKeepRequest([])], decodeKeepRequest, (request) =>
    encodeKeepRequest(request.notes),
  ),
  message('keep-answer', [encodeKeepAnswer(64)], decodeKeepAnswer, ({ taken }) => encodeKeepAnswer(taken)),
];
