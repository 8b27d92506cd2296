/** What has to be true of a mesh after a run, read out of the journals' files by plain SQL and compared with the model. */
import { checkJournal, filesOf } from '../../src/journal/fsck/run-fsck.ts';
import { createLogSigner } from '../../src/merkle/ed25519.ts';
import { checkErasures, isErased, isErasedFor, isErasing } from './erasures.ts';
import { type AuditLine, type EntryLine, type Held, held, LIAR, type Progress, type Watch } from './held.ts';
import { checkGreed, checkLedger } from './ledger.ts';
import type { Mesh, SimNode } from './mesh.ts';
import { isMisread } from './operators.ts';
import { checkRelayed, mayBeRelayed, ORIGIN, READER, RELAY } from './relays.ts';

const SKEW_LIMIT_MS = { hlc_future: 300_000, hlc_past: 2_592_000_000 } as const;
/** Between the clock that a page was judged by and the one in its record. */
const TOLERANCE_MS = 120_000;
const CONVICTIONS: ReadonlySet<string> = new Set(['checkpoint_split_view', 'consistency_proof_invalid']);

/** Nodes whose restore guard has found that their newest history is gone: they write and sign nothing. */
const stuck = new WeakMap<Mesh, Set<string>>();

function stuckIn(mesh: Mesh): Set<string> {
  const known = stuck.get(mesh) ?? new Set();
  stuck.set(mesh, known);
  for (const { name, running } of mesh.nodes) {
    const state = running?.federation.guard.status().state;
    if (state === 'behind' || state === 'forked') known.add(name);
    else if (running !== undefined) known.delete(name);
  }
  return known;
}

/** True once nothing is left to be pulled or found out. */
export function isSettled(mesh: Mesh, watch: Watch): boolean {
  const isStuck = stuckIn(mesh);
  const live = mesh.nodes.filter(({ name }) => !isStuck.has(name));
  const seen: Progress[] = [];
  for (const node of live) {
    const progress = watch.progressOf(node);
    // Mostly somebody is behind, and the files of the others need not be opened.
    if (!isCaughtUp(mesh, node, progress, live)) return false;
    seen.push(progress);
  }
  const ids = new Set(live.map(({ made }) => made.nodeId));
  const isSomebodyErasing = live.some(({ made }, i) =>
    isErasing(seen[i]?.erasures ?? [], made.nodeId, ids, mesh.platform.nowMs()),
  );
  return !isSomebodyErasing && isLiarSettled(mesh, seen);
}

function isCaughtUp(mesh: Mesh, node: SimNode, { cursors }: Progress, live: readonly SimNode[]): boolean {
  return live.every((other) => {
    if (other === node) return true;
    const feeds = other.running?.base.growth.current().feeds ?? [];
    return feeds.every(
      ({ feed, length }) =>
        !mesh.mayRead(other.name, node.name, feed) || cursors.get(`${other.made.nodeId} ${feed}`) === length,
    );
  });
}

function isLiarSettled({ liar }: Mesh, nodes: readonly Progress[]): boolean {
  if (liar === undefined) return true;
  if (isEquivocationSeen(nodes)) return nodes.every(({ suspensions }) => isConvicted(suspensions));
  return nodes.every(
    ({ cursors, suspensions }) => suspensions.size > 0 || (cursors.get(`${LIAR} public`) ?? 0) === liar.length,
  );
}

function isConvicted(suspensions: ReadonlySet<string>): boolean {
  return [...suspensions].some((reason) => CONVICTIONS.has(reason));
}

/** Two honest nodes hold heads of one size that differ. */
function isEquivocationSeen(nodes: readonly Pick<Progress, 'liarHeads'>[]): boolean {
  const roots = new Map<number, string>();
  return nodes.some(({ liarHeads }) =>
    [...liarHeads].some(([size, root]) => {
      const other = roots.get(size) ?? root;
      roots.set(size, root);
      return other !== root;
    }),
  );
}

/** All invariants. What is wrong is told to the mesh. The nodes have stopped. */
export function checkMesh(mesh: Mesh, withFsck: boolean): void {
  const isStuck = stuckIn(mesh);
  const all = mesh.nodes.map((node) => held(node, isStuck.has(node.name)));
  for (const one of all) {
    mesh.note(`${one.node.name} ${one.entries.length} entries, ${one.audit.length} records`);
    if (withFsck) checkFile(mesh, one);
    checkOnce(mesh, one);
    checkOwn(mesh, one, all);
    checkCursors(mesh, one);
    checkRecorded(mesh, one);
    checkHonour(mesh, one);
    for (const other of all) {
      if (other === one) continue;
      checkReceived(
        mesh,
        one,
        other,
        isByRelay(mesh, one, other) ? all.find(({ node }) => node.name === RELAY) : undefined,
      );
      checkLedger(mesh, one, other);
    }
    checkLies(mesh, one);
    checkGreed(mesh, one, LIAR);
    checkErasures(mesh, one, all);
    checkKeys(mesh, one, all);
    if (one.isStuck) checkStuck(mesh, one, all);
  }
  checkOneHistory(mesh, all);
  checkEvidence(mesh, all);
  checkRelayed(mesh, all);
}

function isByRelay({ isRelayed }: Mesh, to: Held, from: Held): boolean {
  return isRelayed && from.node.name === ORIGIN && to.node.name === READER;
}

function checkFile(mesh: Mesh, { node, isStuck }: Held): void {
  const { publicKey } = createLogSigner(node.made.identity.journalOrigin, node.keys.log.seed);
  const report = checkJournal(filesOf(node.disk.folder), { logKey: publicKey });
  if (report.ok) return;
  // A stuck journal is shorter than what was signed, which is what it is stuck for.
  const isExpected = (code: string): boolean => isStuck && code === 'truncated';
  const first = report.problems.find(({ code }) => !isExpected(code));
  if (first !== undefined) mesh.problem(`fsck of ${node.name}: ${JSON.stringify(first)}`);
}

/** Nothing twice: no fact id, no fact of a client, no place of a peer's log. */
function checkOnce(mesh: Mesh, { node, entries }: Held): void {
  const seen = new Set<string>();
  for (const { fact_id, entity, origin_node_id, origin_chain_seq } of entries) {
    const keys = [`fact ${fact_id}`];
    if (mesh.model.asserted.has(entity)) keys.push(`entity ${entity}`);
    if (origin_node_id !== null) keys.push(`place ${origin_node_id} ${origin_chain_seq}`);
    for (const key of keys) {
      if (seen.has(key)) mesh.problem(`${node.name} holds ${key} twice`);
      seen.add(key);
    }
  }
}

/** What was acknowledged is there, unless an old copy was restored and nobody has seen it. */
function checkOwn(mesh: Mesh, { node, entries, isStuck }: Held, all: readonly Held[]): void {
  const own = new Map(
    entries.filter((line) => line.origin_node_id === null && isOfClients(line)).map((line) => [line.entity, line]),
  );
  for (const [entity, line] of own) {
    const fact = mesh.model.asserted.get(entity);
    if (fact?.node !== node.name) mesh.problem(`${node.name} holds ${entity} as its own, which nobody asserted there`);
    else if (fact.value !== line.value_v || fact.scope !== line.scope) mesh.problem(`${node.name} changed ${entity}`);
  }
  for (const fact of mesh.model.asserted.values()) {
    if (fact.node !== node.name || !fact.acknowledged || own.has(fact.entity) || isStuck) continue;
    if (isErasedFor(fact, entries)) continue;
    const holder = all.find((other) => other.entries.some(({ entity }) => entity === fact.entity));
    if (!mesh.model.restored.has(node.name)) mesh.problem(`${node.name} has lost ${fact.entity}`);
    else if (holder !== undefined)
      mesh.problem(`${node.name} went on without ${fact.entity}, which ${holder.node.name} holds`);
  }
}

/** What a client gave, and nobody took away: neither what a node says of itself, nor what is left of an erased fact. */
function isOfClients(line: EntryLine): boolean {
  return !isErased(line) && line.relation === 'ops:state';
}

/** Up to its cursor every place of a feed is decided: accepted, or refused with a record. */
function checkCursors(mesh: Mesh, { node, pages, audit }: Held): void {
  const ends = new Map<string, number>();
  for (const { peer, feed, after_seq, to_seq, header, accepted, refused } of pages) {
    const key = `${peer} ${feed}`;
    if (after_seq !== (ends.get(key) ?? 0)) mesh.problem(`${node.name} skipped ${key} to ${after_seq}`);
    ends.set(key, to_seq);
    const { indexes } = JSON.parse(Buffer.from(header).toString('utf8')) as { indexes: readonly number[] };
    if (to_seq - after_seq !== indexes.length) mesh.problem(`${node.name} moved past entries of ${key} at ${to_seq}`);
    if (accepted + refused > indexes.length) mesh.problem(`${node.name} counted too much of ${key} at ${to_seq}`);
  }
  for (const { body } of audit) {
    const { peer, feed, detail } = JSON.parse(body);
    if (detail.feed_seq !== undefined && detail.feed_seq > (ends.get(`${peer} ${feed}`) ?? 0))
      mesh.problem(`${node.name} refused ${peer} ${feed} ${detail.feed_seq} before its cursor was there`);
  }
}

/** Every refusal has its evidence; every page's count of refusals has its records. */
function checkRecorded(mesh: Mesh, { node, audit, pages, evidence, counted: summed }: Held): void {
  let facts = summed.reduce((sum, { count }) => sum + count, 0);
  for (const { body, seq } of audit) {
    const record = JSON.parse(body);
    if (record.detail.feed_seq !== undefined) facts++;
    if (record.evidence !== null && !evidence.has(record.evidence))
      mesh.problem(`${node.name} lacks evidence of ${seq}`);
    if (record.event === 'federation_integrity_rejected' && record.evidence === null)
      mesh.problem(`${node.name} refused without evidence: record ${seq}`);
  }
  const counted = pages.reduce((sum, { refused }) => sum + refused, 0);
  if (facts !== counted) mesh.problem(`${node.name} refused ${counted} facts and recorded ${facts}`);
}

/** Who was away when it was announced is told it by its operator. */
function isOfNodeKey(statement: string): boolean {
  return statement.includes('"use":"node"');
}

function newKeyIn(statement: string): string {
  return /"new":"([^"]+)"/.exec(statement)?.[1] ?? '';
}

/** Who has changed a key is followed by all: they hold its statements, and have pinned what signs now. */
function checkKeys(mesh: Mesh, { node, nodeId, statements }: Held, all: readonly Held[]): void {
  const own = statements.filter((line) => line.node_id === nodeId).map(({ note }) => note);
  if (own.length > 0) mesh.note(`keys of ${node.name}: ${own.length} changes`);
  for (const other of all) {
    if (other.nodeId === nodeId || own.length === 0) continue;
    const held = new Set(other.statements.filter((line) => line.node_id === nodeId).map(({ note }) => note));
    for (const note of held)
      if (!own.includes(note)) mesh.problem(`${other.node.name} holds a statement of ${node.name} that it never made`);
    const pinned = other.declarations.filter(({ peer }) => peer === nodeId).map(({ note }) => note);
    // Who met it behind a change pinned what was new, and needs no statement of how it came.
    const needed = own.filter((note) => !(pinned[0] ?? '').includes(newKeyIn(note)) && !isOfNodeKey(note));
    if (!needed.every((note) => held.has(note)))
      mesh.problem(`${other.node.name} does not follow the keys of ${node.name}`);
    for (const { vkey } of [node.keys.log, node.keys.witness])
      if (!(pinned.at(-1) ?? '').includes(vkey))
        mesh.problem(`${other.node.name} has not pinned the key ${vkey} of ${node.name}`);
    if (!(pinned.at(-1) ?? '').includes(`"peer_id":"${node.peerId}"`))
      mesh.problem(`${other.node.name} has not pinned the node key of ${node.name}`);
  }
}

/** No honest node is convicted of anything. */
function checkHonour(mesh: Mesh, { node, audit }: Held): void {
  for (const { event, reason, peer, seq, body } of audit) {
    const other = mesh.nodes.find(({ made }) => made.nodeId === peer);
    if (other === undefined || mesh.model.meddled.has(other.name)) continue;
    // By a clock that was put back, a key is not valid yet.
    if (isOfLaterKey(reason) && JSON.parse(body).at < newestKeySince(other)) continue;
    // By a file that names another owner.
    if (reason === 'source_not_owned' && isMisread(mesh, node.name, other.name)) continue;
    const isConviction = event === 'peer_suspended' || event === 'own_history_forked';
    const isRefusal = event === 'federation_integrity_rejected' || event === 'peer_declaration_refused';
    if (!isConviction && !isRefusal) continue;
    mesh.note(body);
    mesh.problem(`${node.name} holds ${reason} against ${other.name}: ${event}, record ${seq}`);
  }
}

function isOfLaterKey(reason: string | null): boolean {
  return reason === 'log_key_not_yet_valid' || reason === 'key_succession_ahead';
}

function newestKeySince({ keys: { log, witness } }: SimNode): string {
  return log.since > witness.since ? log.since : witness.since;
}

/** What an honest peer gave: nothing that it was not asked to share, nothing changed, and all of it. */
function checkReceived(mesh: Mesh, to: Held, from: Held, relay: Held | undefined): void {
  const received = new Map(
    to.entries
      .filter((line) => line.origin_node_id === from.nodeId && !isErased(line))
      .map((line) => [line.entity, line]),
  );
  for (const [entity, line] of received) {
    const { value_v, scope } = line;
    if (!isOfClients(line)) {
      const isSaid = from.entries.some(({ entity: said, value_v: text }) => said === entity && text === value_v);
      if (!isSaid && !mesh.model.restored.has(from.node.name))
        mesh.problem(`${to.node.name} accepted ${entity}, which ${from.node.name} never said of itself`);
      continue;
    }
    const fact = mesh.model.asserted.get(entity);
    if (fact?.node !== from.node.name) mesh.problem(`${to.node.name} accepted ${entity}, which was never asserted`);
    else if (fact.value !== value_v || fact.scope !== scope) mesh.problem(`${to.node.name} accepted ${entity} changed`);
    else if (relay !== undefined && mayBeRelayed(mesh, line, relay, fact.atMs)) continue;
    else if (!mesh.model.grants.wasOpen(from.node.name, to.node.name, scope, fact.atMs, mesh.platform.elapsedMs))
      mesh.problem(`${to.node.name} got ${entity}, which was not shared with it`);
  }
  if (to.isStuck || from.isStuck) return;
  const refused = refusalsOf(to, from.nodeId);
  let counted = countedOf(to, from.nodeId, ['hlc_future', 'hlc_past']);
  let misread = countedOf(to, from.nodeId, ['source_not_owned']);
  for (const line of from.entries) {
    const { entity, fact_id, origin_node_id, scope } = line;
    if (origin_node_id !== null || isErased(line) || !mesh.mayRead(from.node.name, to.node.name, scope)) continue;
    if (received.has(entity)) continue;
    const fault = refused.get(fact_id);
    if (fault === undefined && isOutOfTime(mesh, line) && misread-- > 0) continue;
    if (fault === undefined && counted-- > 0) continue;
    if (fault === undefined) mesh.problem(`${to.node.name} has not got ${entity} of ${from.node.name}`);
    // Judged again under the right file it fails by its clock, and gets no second record.
    else if (fault === 'source_not_owned' && isOutOfTime(mesh, line)) continue;
    else if (fault !== 'clock') mesh.problem(`${to.node.name} refused ${entity} of ${from.node.name}: ${fault}`);
  }
}

/** Its node's clock was far ahead or far behind, or had been far ahead before: time goes on from there in its journal. */
function isOutOfTime({ platform }: Mesh, { hlc }: EntryLine): boolean {
  const aheadMs = hlc / 1000 - platform.nowMs();
  return aheadMs > SKEW_LIMIT_MS.hlc_future || -aheadMs > SKEW_LIMIT_MS.hlc_past;
}

/** Refused facts by id. `clock`: one of the two clocks was as wrong as the refusal says, by the record itself. */
function refusalsOf(to: Held, peer: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const line of to.audit) {
    if (line.peer !== peer || line.fact_id === null || line.reason === null) continue;
    found.set(line.fact_id, isClockFault(line) ? 'clock' : line.reason);
  }
  return found;
}

/** Refusals of these kinds that a summary stands for. */
function countedOf({ counted }: Held, peer: string, reasons: readonly string[]): number {
  const ofThese = counted.filter((line) => line.peer === peer && reasons.includes(line.reason));
  return ofThese.reduce((sum, { count }) => sum + count, 0);
}

function isClockFault({ body, reason }: AuditLine): boolean {
  if (reason !== 'hlc_future' && reason !== 'hlc_past') return false;
  const { at, detail } = JSON.parse(body);
  const hlcMs = Number(String(detail.difference?.claimed).slice(0, 13));
  // A record that had to wait for its group says when it was judged, by the clock that was wrong then.
  const aheadMs = hlcMs - Date.parse(detail.refused_at ?? at);
  return reason === 'hlc_future'
    ? aheadMs > SKEW_LIMIT_MS.hlc_future - TOLERANCE_MS
    : -aheadMs > SKEW_LIMIT_MS.hlc_past - TOLERANCE_MS;
}

/** Of a liar's log: no lie is accepted, every lie behind the cursor has its record, every honest fact is taken. */
function checkLies(mesh: Mesh, to: Held): void {
  const accepted = new Set(to.entries.map(({ fact_id }) => fact_id));
  const refused = refusalsOf(to, LIAR);
  const cursor = Math.max(0, ...to.pages.filter(({ peer }) => peer === LIAR).map(({ to_seq }) => to_seq));
  for (const { factId, lie, feedSeq } of mesh.model.told) {
    if (lie !== null && accepted.has(factId)) mesh.problem(`${to.node.name} accepted a lie: ${lie}`);
    if (feedSeq > cursor) continue;
    const reason = refused.get(factId);
    if (reason === undefined && countedOf(to, LIAR, lie === null ? ['hlc_future', 'hlc_past'] : [lie]) > 0) continue;
    if (lie === null && !accepted.has(factId) && reason !== 'clock')
      mesh.problem(`${to.node.name} passed an honest fact of the liar: ${reason ?? 'no record'}`);
    if (lie !== null && reason === undefined && !isUnnamed(lie, to, feedSeq))
      mesh.problem(`${to.node.name} has no record of a lie: ${lie}`);
  }
}

/** An entry that cannot be read has no fact id: its record names its place. */
function isUnnamed(lie: string, { audit }: Held, feedSeq: number): boolean {
  return audit.some(({ body, peer, reason }) => {
    return peer === LIAR && reason === lie && JSON.parse(body).detail.feed_seq === feedSeq;
  });
}

/** A node that refuses to go on has lost something that nobody holds; else it could have gone on. */
function checkStuck(mesh: Mesh, one: Held, all: readonly Held[]): void {
  if (!mesh.model.restored.has(one.node.name)) {
    mesh.problem(`${one.node.name} refuses to go on, and was never restored`);
    return;
  }
  const given = new Set<number>();
  const origin = one.node.made.identity.journalOrigin;
  const sizes = all.flatMap(({ heads }) =>
    heads.filter((head) => head.origin === origin).map((head) => head.tree_size),
  );
  const signed = Math.max(0, ...sizes);
  for (const { pages } of all)
    for (const { peer, header } of pages) {
      if (peer !== one.nodeId) continue;
      const { indexes } = JSON.parse(Buffer.from(header).toString('utf8'));
      for (const index of indexes) given.add(index);
    }
  for (let index = one.entries.length; index < signed; index++) if (!given.has(index)) return;
  if (signed > one.entries.length) mesh.problem(`${one.node.name} refuses to go on, and peers hold all of its log`);
}

/** Whatever an honest node signed, anywhere in the mesh: one root for each size. */
function checkOneHistory(mesh: Mesh, all: readonly Held[]): void {
  const roots = new Map<string, string>();
  for (const { node, heads } of all)
    for (const { origin, tree_size, root } of heads) {
      const key = `${origin} ${tree_size}`;
      const other = roots.get(key) ?? root;
      roots.set(key, root);
      const isHonest = mesh.nodes.some(({ made }) => made.identity.journalOrigin === origin);
      if (isHonest && other !== root) mesh.problem(`two histories of ${key}, one of them held by ${node.name}`);
    }
}

function checkEvidence(mesh: Mesh, all: readonly Held[]): void {
  const live = all.filter(({ isStuck }) => !isStuck).map(({ node, progress }) => ({ node, ...progress }));
  if (!isEquivocationSeen(live)) return;
  mesh.note('equivocation seen');
  for (const { node, suspensions } of live)
    if (!isConvicted(suspensions)) mesh.problem(`${node.name} has no evidence of the liar's two histories`);
}
