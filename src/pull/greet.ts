/** The first words with a peer: its signed declaration is checked and, at the first contact, pinned. */
import type { PeerFile } from '../config/peer-file.ts';
import { MAX_REQUEST_BYTES } from '../core/limits.ts';
import { ok, type Result } from '../core/result.ts';
import { ALG_ED25519 } from '../merkle/note.ts';
import { formatVerifierKey } from '../merkle/verifier-key.ts';
import { rawKeyOf } from '../transport/identity.ts';
import type { PinnedPeer } from '../verify/context.ts';
import { openOwnDeclaration } from '../verify/declared-log-key.ts';
import { chainBetween, openStatements, successorsOf } from '../verify/key-chain.ts';
import { decodeHello, type Hello } from '../wire/hello.ts';
import { HELLO_PROTOCOL } from '../wire/protocols.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import { type DeclarationFault, type KeyHistory, type Pinning, pinPeer } from './declare.ts';
import type { PullDeps, PullJournal } from './deps.ts';
import { DeclarationRefused, KeyUnconfirmed, PullError } from './errors.ts';
import { logKeyGoodUntil } from './log-key-life.ts';

const HELLO_MS = 10_000;
/** A peer may declare other times for its keys at any time, and says so only when it is greeted. */
const GREETED_FOR_MS = 3_600_000;

export interface Greeted {
  readonly pinned: PinnedPeer;
  /** When it has to be greeted again: after a while, or when its log key ends. Milliseconds since 1970. */
  readonly goodUntilMs: number;
  readonly software: string;
  /** Protocol ids that the peer says it speaks. */
  readonly protocols: readonly string[];
  /** The peer's clock minus ours, milliseconds; half a round trip is in it. */
  readonly clockSkewMs: number;
}

/** @throws TransportError; PullError `hello_malformed`, `log_key_unconfirmed` or `declaration_refused`, the last audited once a minute */
export async function greet(peer: PeerFile, deps: PullDeps, signal: AbortSignal): Promise<Greeted> {
  const { transport, journal, nowMs } = deps;
  const limits = { signal, idleMs: HELLO_MS, totalMs: HELLO_MS, maxFrameBytes: MAX_REQUEST_BYTES };
  let frame: Uint8Array | undefined;
  for await (const answer of transport.request(peer.peerId, HELLO_PROTOCOL, deps.hello(), limits)) frame ??= answer;
  const hello = frame === undefined ? undefined : decodeHello(frame);
  if (hello === undefined || !hello.ok) throw new PullError('hello_malformed', 'the peer’s hello cannot be read');

  const { declaration: note } = hello.value;
  const { kept, statements, judged } = await judgeHello(peer, hello.value, deps);
  if (!judged.ok) {
    const { code, detail } = judged.error;
    if (code === 'log_key_unconfirmed') throw new KeyUnconfirmed(judged.error.change);
    const suppressed = deps.refusedDeclarations.note(`${code} ${peer.nodeId}`, nowMs());
    if (suppressed !== null) await recordRefusal(peer, judged.error, suppressed, deps);
    const change = judged.error.code === 'key_changed' ? judged.error.change : null;
    throw new DeclarationRefused(`its declaration is refused (${code}): ${detail}`, change);
  }
  const { pinned, goodUntilMs, links } = judged.value;
  const announced = nextNodeKeys(peer, statements);
  const before = kept === null ? changesBefore(pinned, statements, nowMs()) : [];
  const notes = [...links, ...before, ...announced].map((one) => one.note);
  if (notes.length > 0 && (await journal.saveSuccessions(peer.nodeId, notes)) > 0)
    await deps.onSuccessions(peer.nodeId);
  const isOther = kept !== null && (links.length > 0 || openOwnDeclaration(kept)?.peer_id !== peer.peerId);
  if (kept === null || isOther) {
    const { origin, logKey } = pinned;
    const detail = { origin, log_key: Buffer.from(logKey).toString('base64'), peer_id: peer.peerId };
    if (kept === null)
      await journal.pinDeclaration(peer.nodeId, note, { event: 'peer_verified', peer: peer.nodeId, detail });
    else await follow(peer.nodeId, note, detail, journal);
  } else await journal.renewDeclaration(peer.nodeId, note);
  const { software, protocols, clock_ms } = hello.value;
  return { pinned, goodUntilMs, software, protocols, clockSkewMs: clock_ms - nowMs() };
}

/** What the declaration of a hello is worth, by what is kept of the peer; of this one nothing is kept here. */
export async function judgeHello(
  peer: PeerFile,
  { declaration, successions }: Pick<Hello, 'declaration' | 'successions'>,
  { journal, nowMs }: { readonly journal: Pick<PullJournal, 'peerProgress' | 'successions'> } & Pick<PullDeps, 'nowMs'>,
): Promise<{
  readonly kept: string | null;
  readonly statements: readonly OpenedSuccession[];
  readonly judged: ReturnType<typeof judge>;
}> {
  const { declaration: kept } = await journal.peerProgress(peer.nodeId, []);
  const [stored = []] = await journal.successions([peer.nodeId]);
  const statements = [...stored, ...openStatements(successions, peer.nodeId)];
  return { kept, statements, judged: judge(declaration, peer, { pinned: kept, statements, nowMs: nowMs() }) };
}

/** Each change is a declaration and a record that stay. @throws PullError: it is asked again later */
async function follow(
  peer: string,
  note: string,
  detail: Readonly<Record<string, string>>,
  journal: PullDeps['journal'],
): Promise<void> {
  if (await journal.followDeclaration(peer, note, { event: 'peer_keys_succeeded', peer, detail })) return;
  throw new PullError('unavailable', 'it has changed its keys too often, and is followed once an hour');
}

function recordRefusal(
  { nodeId: peer }: PeerFile,
  { code: reason, detail }: DeclarationFault,
  suppressed: number,
  { journal }: PullDeps,
): Promise<number> {
  return journal.audit({ event: 'peer_declaration_refused', reason, peer, detail: { detail, suppressed } });
}

function judge(
  note: string,
  peer: PeerFile,
  history: KeyHistory,
): Result<Pick<Greeted, 'pinned' | 'goodUntilMs'> & Pick<Pinning, 'links'>, DeclarationFault> {
  const pinning = pinPeer(note, peer, history);
  if (!pinning.ok) return pinning;
  const { peer: pinned, links } = pinning.value;
  const { nowMs } = history;
  const goodUntil = logKeyGoodUntil(note, peer, pinned, nowMs);
  if (!goodUntil.ok) return goodUntil;
  return ok({
    pinned,
    links,
    goodUntilMs: Math.min(nowMs + GREETED_FOR_MS, goodUntil.value ?? Number.MAX_SAFE_INTEGER),
  });
}

/** Who gets the peer's facts by us may know it by a key of before, and is shown how this one came. */
function changesBefore(
  { origin, logKey }: PinnedPeer,
  statements: readonly OpenedSuccession[],
  nowMs: number,
): readonly OpenedSuccession[] {
  const to = formatVerifierKey({ name: origin, algorithm: ALG_ED25519, publicKey: logKey });
  return statements.filter((one) => chainBetween(statements, one.use, { from: one.new, to }, nowMs) !== null);
}

/** Keys that the peer will connect with, each signed by the one that it connects with now. */
function nextNodeKeys(
  { nodeId, peerId }: PeerFile,
  statements: readonly OpenedSuccession[],
): readonly OpenedSuccession[] {
  const vkey = formatVerifierKey({ name: nodeId, algorithm: ALG_ED25519, publicKey: rawKeyOf(peerId) });
  return successorsOf(statements, 'node', vkey, Number.MAX_SAFE_INTEGER);
}
