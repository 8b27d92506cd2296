/** What strangers send before anybody is a partner: codes, notes, and the two messages of an invitation; and our own records. */
import { addressFault } from '../../../src/config/checks.ts';
import { EPOCH_MS } from '../../../src/drill/peer-log.ts';
import { createLogSigner } from '../../../src/merkle/ed25519.ts';
import { formatNote, signEd25519 } from '../../../src/merkle/note.ts';
import { decodeRecord, encodeRecord, type OnboardingRecord, recordId } from '../../../src/onboard/record.ts';
import { fingerprintWords, typedWords, WORD_COUNT } from '../../../src/wire/fingerprint-words.ts';
import {
  decodeInviteAnswer,
  decodeInviteRequest,
  encodeInviteAnswer,
  encodeInviteRequest,
  openJoin,
  signJoin,
} from '../../../src/wire/invite.ts';
import { decodeInviteCode, encodeInviteCode, type InviteCode } from '../../../src/wire/invite-code.ts';
import { openPeerNote, signPeerNote } from '../../../src/wire/peer-note.ts';
import { PROTOCOLS } from '../../../src/wire/protocols.ts';
import { fuzzPeer, message, PEER_ID } from './pure-targets.ts';
import { expect, type Target } from './target.ts';

const peer = fuzzPeer();
const signer = createLogSigner(peer.nodeId, Buffer.alloc(32, 1));
const addresses = ['/ip4/192.0.2.1/tcp/4101', `/dns4/peerd.acme.example/tcp/4101/p2p/${PEER_ID}`];
const note = signPeerNote({ addresses, declaration: peer.declaration(signer, PEER_ID), peer_id: PEER_ID }, signer);
const opened = openPeerNote(note);
if (!opened.ok) throw new Error(opened.error.got);
const ours = opened.value;
const target = { inviterPeerId: PEER_ID, guestPeerId: PEER_ID };
const hints = { clock_ms: EPOCH_MS, entries: 1_200, protocols: PROTOCOLS, software: 'stigmem-peerd/0.1.0' };
const request = encodeInviteRequest({ ...hints, join: signJoin({ ...target, peer: note }, signer), peer: note });
const codes: readonly InviteCode[] = [
  { share: ['public', 'company/incident-42'], accept: ['public'], untilS: 1_900_000_000 },
  { share: [], accept: ['team'], untilS: null },
].map((terms) => ({
  ...terms,
  nodeKey: signer.publicKey,
  secret: Buffer.alloc(16, 2),
  expiresS: 1_800_000_000,
  authority: peer.authority,
  addresses,
}));

const code: Target = {
  name: 'invite-code',
  corpus: codes.map((one) => Buffer.from(encodeInviteCode(one))),
  run(input) {
    const text = input.toString('utf8');
    const decoded = decodeInviteCode(text);
    if (!decoded.ok) return;
    expect(encodeInviteCode(decoded.value) === text.replace(/\s+/g, ''), 'a code has one text');
    decoded.value.addresses.map(addressFault);
  },
};

/** The note, and the same text signed again: what lies behind the signature check is reached. */
const peerNote: Target = {
  name: 'peer-note',
  corpus: [Buffer.from(note), Buffer.from(note.slice(0, note.lastIndexOf('\n\n') + 1))],
  run(input) {
    const text = input.toString('utf8');
    for (const one of [text, signedAgain(text)]) {
      const read = one === undefined ? undefined : openPeerNote(one);
      if (read?.ok !== true) continue;
      const words = fingerprintWords(read.value, ours);
      expect(words.length === WORD_COUNT && words.every((word) => word !== ''), 'words of any two nodes');
      expect(typedWords(words.join(' ')).join() === words.join(), 'words are typed as they are shown');
    }
  },
};

function signedAgain(text: string): string | undefined {
  try {
    return formatNote({ text, signatures: [signEd25519(text, signer)] });
  } catch {
    return undefined;
  }
}

const join: Target = {
  name: 'invite-join',
  corpus: [Buffer.from(request)],
  run(input) {
    const decoded = decodeInviteRequest(input);
    if (decoded.ok) openJoin(decoded.value, target);
  },
};

const record: OnboardingRecord = {
  accept: ['public'],
  by: 'invite',
  confirmed_by: null,
  expires_ms: EPOCH_MS,
  guest: PEER_ID,
  id: recordId(PEER_ID),
  made_ms: EPOCH_MS,
  meeting: { ...hints, met_ms: EPOCH_MS, seen_at: addresses[0] ?? '' },
  name: 'acme',
  peer: note,
  share: [],
  state: 'pending',
  until_ms: null,
  v: 1,
};

export const ONBOARDING_TARGETS: readonly Target[] = [
  code,
  peerNote,
  join,
  message('invite-request', [request], decodeInviteRequest, encodeInviteRequest),
  message(
    'invite-answer',
    [encodeInviteAnswer({ ...hints, peer: note }), encodeInviteAnswer('used'), encodeInviteAnswer('refused')],
    decodeInviteAnswer,
    encodeInviteAnswer,
  ),
  message('onboarding-record', [Buffer.from(encodeRecord(record))], decodeRecord, (one) =>
    Buffer.from(encodeRecord(one)),
  ),
];
