/** Codes in the wrong hands, somebody in between, and nodes that die at each step of becoming partners. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { OnboardingView } from '../../src/core/onboarding.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import type { TransportError } from '../../src/transport/errors.ts';
import { identityFromSeed } from '../../src/transport/identity.ts';
import { createTransport } from '../../src/transport/node.ts';
import { decodeInviteAnswer, encodeInviteRequest, signJoin } from '../../src/wire/invite.ts';
import { decodeInviteCode, encodeInviteCode, guestSeedOf } from '../../src/wire/invite-code.ts';
import { signPeerNote } from '../../src/wire/peer-note.ts';
import { INVITE_PROTOCOL, PROTOCOLS } from '../../src/wire/protocols.ts';
import { HonestPeer } from '../support/honest-peer.ts';
import { type Answer, Bench, type NodeProcess } from '../support/node-process.ts';
import { Terminal, wordsOn } from '../support/terminal.ts';

const TERMS = { share: ['public'], accept: ['public'] };
const ONBOARDING = '/v1/federation/onboarding';
const SETTINGS = ['federation.poll_interval_s=1'];

async function started(t: TestContext, ...names: readonly string[]): Promise<NodeProcess[]> {
  const bench = new Bench(t);
  return Promise.all(names.map(async (name) => (await bench.node(`${name}.example`, SETTINGS)).start()));
}

async function invite(node: NodeProcess): Promise<{ readonly code: string; readonly id: string }> {
  const { status, body } = await node.post('/v1/federation/invites', TERMS);
  assert.equal(status, 201, JSON.stringify(body));
  return { code: body.code, id: body.onboarding.id };
}

function useCode(node: NodeProcess, code: string): Promise<Answer> {
  return node.post('/v1/federation/join', { code });
}

async function shown(node: NodeProcess, id: string): Promise<OnboardingView> {
  const { status, body } = await node.get(`${ONBOARDING}/${id}`);
  assert.equal(status, 200, JSON.stringify(body));
  return body as OnboardingView;
}

function confirm(node: NodeProcess, id: string, words: readonly string[] | undefined): Promise<Answer> {
  return node.post(`${ONBOARDING}/${id}/confirm`, { words });
}

const codeOf = ({ body }: Answer): string => body.detail.code;
const peerFiles = (node: NodeProcess): string[] => readdirSync(join(node.dir, 'peers'));

test('somebody in between, with two nodes of his own that relay: the words differ, the join stops, nothing flows', async (t) => {
  const bench = new Bench(t);
  const make = async (authority: string, name: string): Promise<NodeProcess> =>
    (await bench.node(authority, SETTINGS, name)).start();
  const [acme, globex, asGlobex, asAcme] = (await Promise.all([
    make('acme.example', 'acme'),
    make('globex.example', 'globex'),
    make('globex.example', 'between-as-globex'),
    make('acme.example', 'between-as-acme'),
  ])) as [NodeProcess, NodeProcess, NodeProcess, NodeProcess];
  const grants = ['--share', 'public', '--accept', 'public'];
  const inviting = new Terminal(t, ['peer', 'invite', ...grants, '--data', acme.dir]);
  const [theirs] = await inviting.shows(/stigmem1[a-z2-7]+/);
  // The code never reaches globex: who sits in between uses it, and sends globex one of his own in its place.
  const toAcme = await useCode(asGlobex, theirs);
  assert.equal(toAcme.status, 200, JSON.stringify(toAcme.body));
  const ours = await invite(asAcme);
  const joining = new Terminal(t, ['peer', 'join', ours.code, '--data', globex.dir]);
  await Promise.all([inviting.shows(/yes or no: $/), joining.shows(/yes or no: $/)]);
  // He says yes at once to whatever he is shown.
  const { id } = toAcme.body;
  assert.equal((await confirm(asGlobex, id, toAcme.body.partner.words)).status, 200);
  assert.equal((await confirm(asAcme, ours.id, (await shown(asAcme, ours.id)).partner?.words)).status, 200);

  // Nothing but the words tells him from the partner.
  assert.match(inviting.screen, /partner +globex, stigmem:\/\/globex\.example/);
  assert.match(joining.screen, /partner +acme, stigmem:\/\/acme\.example/);
  assert.ok(!inviting.screen.includes('FAIL') && !joining.screen.includes('FAIL'));
  const [here, there] = [wordsOn(inviting.screen), wordsOn(joining.screen)];
  assert.deepEqual([here.length, there.length], [12, 12]);
  assert.ok(here.filter((word) => there.includes(word)).length < 4, `${here} / ${there}`);
  // Who types what the other one reads to him is told, and who compares says no.
  assert.equal(codeOf(await confirm(acme, id, there)), 'words_differ');
  assert.equal(codeOf(await confirm(globex, ours.id, here)), 'words_differ');
  for (const terminal of [inviting, joining]) {
    terminal.type('no');
    assert.equal(await terminal.ended(), 1);
    assert.match(terminal.screen, /is rejected; nothing flows/);
  }

  for (const node of [acme, globex]) {
    assert.deepEqual(
      peerFiles(node).filter((name) => name.endsWith('.toml')),
      [],
    );
    const events = (await node.audit('')).map(({ event_type }) => event_type);
    assert.deepEqual(
      events.filter((event) => /^peer_(words|rej)/.test(event)),
      ['peer_words_differ', 'peer_rejected'],
    );
    assert.ok(!events.includes('peer_confirmed') && !events.includes('peer_verified'), String(events));
  }
  // Both of his nodes have peer files and dial; neither is let in.
  await bench.until('the one in between is a stranger to acme', async () => {
    const refused = (await acme.audit('event_type=connection_refused')).length;
    return refused > 0 ? refused : undefined;
  });
  for (const [node, name] of [
    [asGlobex, 'acme'],
    [asAcme, 'globex'],
  ] as const)
    assert.equal((await node.peer(name))?.accepted ?? 0, 0);
});

test('a code is for one identity: again by the same one, then by another, by bits of it, and after it was revoked', async (t) => {
  const [acme, globex, mallory] = (await started(t, 'acme', 'globex', 'mallory')) as [
    NodeProcess,
    NodeProcess,
    NodeProcess,
  ];
  const { code, id } = await invite(acme);
  const first = await useCode(globex, code);
  const again = await useCode(globex, `${code.slice(0, 40)}\n  ${code.slice(40)}`);
  assert.deepEqual([first.status, again.status], [200, 200]);
  assert.deepEqual(again.body.partner.words, first.body.partner.words);

  const stolen = await useCode(mallory, code);
  assert.deepEqual([stolen.status, codeOf(stolen)], [409, 'code_used']);
  assert.match(stolen.body.detail.message, /leaked/);
  assert.equal((await shown(acme, id)).partner?.node_id, globex.nodeId);
  const refused = await acme.audit('event_type=invite_refused');
  assert.deepEqual(
    refused.map(({ reason, peer_id }) => [reason, peer_id]),
    [['used', mallory.nodeId]],
  );
  assert.equal((await mallory.get(ONBOARDING)).body.onboarding.length, 0);

  await assertOneDoor(acme, code);
  for (const [bad, expected] of [
    ['hello', 'code_invalid'],
    [code.slice(0, -1), 'code_invalid'],
    [`${code.slice(0, 60)}${code[60] === 'a' ? 'b' : 'a'}${code.slice(61)}`, 'code_invalid'],
  ] as const)
    assert.equal(codeOf(await useCode(globex, bad)), expected, bad);
  assert.equal(codeOf(await useCode(acme, code)), 'own_code');

  const second = await invite(acme);
  assert.equal((await acme.delete(`/v1/federation/invites/${second.id}`)).status, 200);
  assert.equal(codeOf(await useCode(globex, second.code)), 'not_let_in');
  assert.equal(codeOf(await acme.delete(`/v1/federation/invites/${id}`)), 'not_pending');
  // What is on disk does not let anybody come as the guest.
  const decoded = decodeInviteCode(code);
  assert.ok(decoded.ok);
  const folder = join(acme.dir, 'onboarding');
  const stored = Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))));
  const secrets = [decoded.value.secret, guestSeedOf(decoded.value)].map((bytes) => Buffer.from(bytes));
  for (const secret of secrets)
    for (const form of ['hex', 'base64', 'latin1'] as const)
      assert.ok(!stored.includes(secret.toString(form), 0, 'latin1'));
});

test('a guest whose code and keys are right is answered once a second, and a few times at once', async (t) => {
  const [acme] = (await started(t, 'acme')) as [NodeProcess];
  const { code } = await invite(acme);
  const decoded = decodeInviteCode(code);
  assert.ok(decoded.ok);
  const globex = new HonestPeer({ authority: 'globex.example' });
  const identity = await identityFromSeed(Buffer.alloc(32, 2));
  const signer = createLogSigner(globex.nodeId, Buffer.alloc(32, 2));
  const declaration = globex.declaration(signer, identity.peerId);
  const addresses = ['/ip4/192.0.2.1/tcp/4101'];
  const peer = signPeerNote({ addresses, declaration, peer_id: identity.peerId }, signer);
  const seed = guestSeedOf(decoded.value);
  const { peerId: guestPeerId } = await identityFromSeed(seed);
  const signed = signJoin({ inviterPeerId: acme.peerId, guestPeerId, peer }, signer);
  const self = { clock_ms: Date.now(), entries: 0, protocols: [], software: 'x' };
  const request = encodeInviteRequest({ ...self, join: signed, peer });
  const inviter = { peerId: acme.peerId, addresses: [acme.address] };
  const guest = await createTransport({ seed, listen: [], allowed: () => [inviter] });
  const limits = { idleMs: 20_000, totalMs: 20_000, maxFrameBytes: 65_536 };
  const ask = async (): Promise<number> => {
    const frames = await Array.fromAsync(guest.request(acme.peerId, INVITE_PROTOCOL, request, limits));
    const answer = decodeInviteAnswer(frames[0] ?? new Uint8Array());
    return answer.ok && typeof answer.value === 'object' ? 1 : 0;
  };
  try {
    const startedMs = Date.now();
    let answered = 0;
    for (let i = 0; i < 60; i++) answered += await ask().catch(() => 0);
    const seconds = (Date.now() - startedMs) / 1_000;
    assert.ok(answered >= 1 && answered <= 11 + seconds, `${answered} of 60 were answered in ${seconds} s`);
  } finally {
    await guest.stop({ graceMs: 0 });
  }
});

/** The holder of a code reaches the one protocol and no other. */
async function assertOneDoor(acme: NodeProcess, code: string): Promise<void> {
  const decoded = decodeInviteCode(code);
  assert.ok(decoded.ok);
  const inviter = { peerId: acme.peerId, addresses: [acme.address] };
  const guest = await createTransport({ seed: guestSeedOf(decoded.value), listen: [], allowed: () => [inviter] });
  const limits = { idleMs: 20_000, totalMs: 20_000, maxFrameBytes: 65_536 };
  const ask = (protocol: string): Promise<Uint8Array[]> =>
    Array.fromAsync(guest.request(acme.peerId, protocol, Buffer.from('{}'), limits));
  try {
    const [answer, ...more] = (await ask(INVITE_PROTOCOL)).map((frame) => decodeInviteAnswer(frame));
    assert.deepEqual([answer, more], [{ ok: true, value: 'refused' }, []]);
    for (const protocol of PROTOCOLS.filter((one) => one !== INVITE_PROTOCOL))
      await assert.rejects(ask(protocol), ({ code: error }: TransportError) => error === 'reset', protocol);
    // One after the other, as fast as it can.
    const startedMs = Date.now();
    let answered = 0;
    for (let i = 0; i < 40; i++)
      answered += await ask(INVITE_PROTOCOL).then(
        () => 1,
        () => 0,
      );
    const seconds = (Date.now() - startedMs) / 1_000;
    assert.ok(answered <= 11 + seconds, `${answered} requests were answered in ${seconds} s`);
  } finally {
    await guest.stop({ graceMs: 0 });
  }
}

/** Passes on what goes in both directions, and counts what comes from the node. */
class Tap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes that came from the node. */
  down = 0;

  constructor({ address }: NodeProcess) {
    const [, , host = '', , port = ''] = address.split('/');
    this.#server = createServer((near) => {
      const far = createConnection({ port: Number(port), host });
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
      }
      far.on('data', (bytes: Buffer) => {
        this.down += bytes.length;
      });
      near.pipe(far).pipe(near);
      far.on('close', () => near.end());
      near.on('close', () => far.end());
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const address = this.#server.address();
    return `/ip4/127.0.0.1/tcp/${typeof address === 'object' ? address?.port : 0}`;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

test('a wrong secret meets what a stranger meets: the same answer and the same bytes, whether there are invitations or not', async (t) => {
  const [acme, globex] = (await started(t, 'acme', 'globex')) as [NodeProcess, NodeProcess];
  const { code, id } = await invite(acme);
  const decoded = decodeInviteCode(code);
  assert.ok(decoded.ok);
  const tried = async (secretByte: number | null): Promise<readonly unknown[]> => {
    const tap = new Tap(acme);
    const secret = secretByte === null ? decoded.value.secret : Buffer.alloc(16, secretByte);
    const changed = encodeInviteCode({ ...decoded.value, secret, addresses: [await tap.listen()] });
    const answer = await useCode(globex, changed);
    await tap.close();
    return [answer.status, codeOf(answer), answer.body.detail.message, tap.down];
  };
  const guessed = await tried(7);
  assert.deepEqual(guessed.slice(0, 2), [409, 'not_let_in'], JSON.stringify(guessed));
  assert.equal((await acme.delete(`/v1/federation/invites/${id}`)).status, 200);
  assert.deepEqual(await tried(7), guessed, 'without an open invitation');
  assert.deepEqual(await tried(null), guessed, 'with the code of one that was revoked');
});
