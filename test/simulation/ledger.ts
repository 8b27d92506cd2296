/** What a node gave, as its own ledger and its peers' receipts say it, against what its peers have and what its files allowed. */
import type { DisclosureLine, Held, RunLine } from './held.ts';
import type { Mesh } from './mesh.ts';

/** @param to who received @param from whose ledger it is */
export function checkLedger(mesh: Mesh, to: Held, from: Held): void {
  const given = from.disclosures.filter(({ peer }) => peer === to.nodeId);
  const taken = to.pages.filter(({ peer }) => peer === from.nodeId);
  for (const run of given) checkGrant(mesh, to, from, run);
  // An old copy has forgotten what was given since.
  if (!mesh.model.restored.has(from.node.name)) {
    for (const page of taken)
      if (!isCovered(page, given))
        mesh.problem(`${from.node.name} gave ${spanOf(page)} to ${to.node.name}, which its ledger does not have`);
    checkClosures(mesh, to, from, given);
  }
  if (mesh.model.restored.has(to.node.name)) return;
  for (const receipt of from.receipts)
    if (receipt.peer === to.nodeId && !isCovered(receipt, taken))
      mesh.problem(`${from.node.name} holds a receipt of ${to.node.name} for ${spanOf(receipt)}, which it has not got`);
}

/** Who asks for everything gets what it was granted, and all of that is in the ledger. */
export function checkGreed(mesh: Mesh, from: Held, liar: string): void {
  // What a broken program sends to the wrong one is in the ledger, of the other.
  if (mesh.model.misdirected.has(from.node.name)) return;
  const given = from.disclosures.filter(({ peer }) => peer === liar);
  for (const { from: peerId, feed, after, to } of mesh.model.got) {
    if (!from.node.peerIds.has(peerId)) continue;
    const run = { peer: liar, feed, after_seq: after, to_seq: to };
    if (feed !== 'public') mesh.problem(`${from.node.name} gave ${spanOf(run)} to whoever asked for it`);
    else if (!mesh.model.restored.has(from.node.name) && !isCovered(run, given))
      mesh.problem(`${from.node.name} gave ${spanOf(run)} to ${liar}, which its ledger does not have`);
  }
}

/** Every run was given under a grant that the file had, while it was in force by the node's own clock. */
function checkGrant(mesh: Mesh, to: Held, from: Held, run: DisclosureLine): void {
  const { feed, not_before, not_after, peer } = JSON.parse(run.text);
  const sentMs = run.sent_us / 1_000;
  const ms = (text: string | null): number | null => (text === null ? null : Date.parse(text));
  const isWritten = mesh.model.grants
    .ever(from.node.name, to.node.name, run.feed)
    .some((grant) => grant.notBeforeMs === ms(not_before) && grant.notAfterMs === ms(not_after));
  const isInForce =
    (not_before === null || Date.parse(not_before) <= sentMs) && (not_after === null || sentMs < Date.parse(not_after));
  if (feed !== run.feed || peer !== to.nodeId || !isWritten)
    mesh.problem(
      `${from.node.name} gave ${spanOf(run)} to ${to.node.name} under a grant that it never had: ${run.text}`,
    );
  else if (!isInForce)
    mesh.problem(`${from.node.name} gave ${spanOf(run)} to ${to.node.name} at ${sentMs}, outside of ${run.text}`);
}

/** The end of a grant that an honest node has signed is one of its file, and speaks of no more than it gave. */
function checkClosures(mesh: Mesh, to: Held, from: Held, given: readonly RunLine[]): void {
  for (const { body, event, peer } of to.audit) {
    if (event !== 'feed_closed' || peer !== from.nodeId) continue;
    const { feed, detail } = JSON.parse(body);
    const closedMs = Date.parse(detail.closed_at);
    const grants = mesh.model.grants.ever(from.node.name, to.node.name, feed);
    if (!grants.some(({ notAfterMs }) => notAfterMs === closedMs))
      mesh.problem(
        `${from.node.name} signed that ${feed} ended for ${to.node.name} at ${detail.closed_at}, which it did not`,
      );
    if (detail.to > Math.max(0, ...given.filter((run) => run.feed === feed).map(({ to_seq }) => to_seq)))
      mesh.problem(
        `${from.node.name} signed that it gave ${to.node.name} more of ${feed} than its ledger has: ${detail.to}`,
      );
  }
}

function isCovered({ feed, after_seq, to_seq }: RunLine, runs: readonly RunLine[]): boolean {
  const ordered = runs.filter((run) => run.feed === feed).sort((a, b) => a.after_seq - b.after_seq);
  let at = after_seq;
  for (const run of ordered) if (run.after_seq <= at) at = Math.max(at, run.to_seq);
  return at >= to_seq;
}

function spanOf({ feed, after_seq, to_seq }: RunLine): string {
  return `${feed} ${after_seq + 1} to ${to_seq}`;
}
