/** Node, keys, logs, peers, grants: what others believe of a node, and what it believes of them. */

import type { FeedGrant } from '../../core/disclosure.ts';
import { plural } from '../../core/plural.ts';
import { DAY_MS } from '../../core/time.ts';
import { type Check, fail, ofDaemon, ofNode, pass, skipped, warn } from './judgement.ts';

const SOON_MS = 14 * DAY_MS;
const PENDING_MS = 900_000;

export const TRUST_CHECKS: readonly Check[] = [
  {
    id: 'node.answers',
    title: 'the node runs, or its files can be opened',
    judge: ({ node, nodeFault, process }) => {
      if (node === null)
        return fail(nodeFault ?? 'it does not answer', 'Mend what it says, then run the doctor again.');
      if (process !== null) return pass(`it runs (pid ${process.pid})`);
      return warn('it is not running: its files were looked at', 'stigmem-peerd run --data DIR, or systemctl start');
    },
  },
  {
    id: 'node.ready',
    title: 'it can append, sign and serve',
    judge: ofNode(({ readiness }, { process }) => {
      const bad = readiness.checks.filter(({ ok, name }) => !ok && (process !== null || name !== 'federation'));
      if (bad.length > 0)
        return fail(
          bad.map(({ name, detail }) => `${name}: ${detail}`).join('; '),
          'docs/OPERATIONS.md, Running: what each check means',
        );
      if (readiness.notices.length === 0)
        return pass(`${plural(readiness.checks.length, 'check')}, nothing against it`);
      return warn(readiness.notices.join('; '), 'docs/OPERATIONS.md, Running');
    }),
  },
  {
    id: 'keys.own',
    title: 'our signing keys are good for longer',
    judge: ofNode(({ keys }) => {
      const own = keys.filter(({ peer, state }) => peer === null && state !== 'replaced');
      const told = own.filter(({ warning }) => warning !== null);
      const [worst] = told;
      if (worst === undefined || worst.warning === null)
        return pass(`${plural(own.length, 'key')}, none ends within 30 days`);
      const seen = told.map(({ warning }) => warning?.sentence ?? '').join('; ');
      const isOver = told.some(({ warning }) => warning === null || (warning.step ?? 0) <= 1);
      const fix = `stigmem-peerd keys rotate ${worst.use} --data DIR, with the daemon stopped`;
      return isOver ? fail(seen, fix) : warn(seen, fix);
    }),
  },
  {
    id: 'keys.peers',
    title: 'the signing keys of peers are good for longer',
    judge: ofNode(({ keys }) => {
      const told = keys.filter(({ peer, warning }) => peer !== null && warning !== null);
      if (told.length > 0)
        return warn(
          told.map(({ warning }) => warning?.sentence ?? '').join('; '),
          'Tell the partner; peers follow a succession by themselves.',
        );
      return pass('none ends within 30 days');
    }),
  },
  {
    id: 'keys.api',
    title: 'API keys that are in use do not end soon',
    judge: ofNode(({ apiKeys }, { nowMs }) => {
      const active = apiKeys.filter(({ state }) => state === 'active');
      const ending = active.filter(({ expires_at: end }) => end !== null && Date.parse(end) - nowMs < SOON_MS);
      if (ending.length === 0) return pass(`${plural(active.length, 'active key')}`);
      const who = ending.map(({ name, expires_at: end }) => `${name} ends at ${end}`).join(', ');
      return warn(who, 'stigmem-peerd key create NAME … --data DIR (for the command line: key create --cli)');
    }),
  },
  {
    id: 'anchors.outside',
    title: 'somebody outside vouches for our history: Rekor, witnesses, or storage that nobody can rewrite',
    judge: ({ config, node }) => {
      if (config === null) return skipped('the configuration is not valid');
      if (config.anchor.backends.includes('rekor')) return pass('checkpoints go to Rekor');
      const witnesses = node?.witness?.policy?.met === true ? 'the witnesses of our policy cosign' : null;
      if (witnesses !== null) return pass(witnesses);
      const worm = node?.backups.worm ?? null;
      if (config.anchor.backends.length > 0 && worm !== null && worm.weakness === null && worm.last_error === null)
        return pass('anchors are shipped to the WORM store, which has kept its promise so far');
      const fix =
        'anchor.backends = ["local", "rekor"], or witness.policy_file, or [worm]: docs/OPERATIONS.md, Anchors';
      if (config.anchor.backends.length === 0)
        return fail('checkpoints go to no log, and no witness policy is met', fix);
      return warn(
        'checkpoints go to a local file alone: no outside trust, unless its storage cannot be rewritten',
        fix,
      );
    },
  },
  {
    id: 'anchors.pending',
    title: 'transparency logs take our checkpoints',
    judge: ofNode(({ anchors }, { nowMs, process }) => {
      if (process === null) return skipped('the node is not running: nothing is submitted');
      const late = anchors.filter(({ oldest_pending_at: at }) => at !== null && nowMs - Date.parse(at) > PENDING_MS);
      const fix = 'stigmem-peerd anchors retry --data DIR tries again now, and says what the log answers';
      if (late.length > 0) return fail(late.map(({ backend, sentence }) => `${backend} ${sentence}`).join('; '), fix);
      return pass(
        anchors.map(({ backend, sentence }) => `${backend} ${sentence}`).join('; ') || 'no log is configured',
      );
    }),
  },
  {
    id: 'witness.policy',
    title: 'enough witnesses cosign our checkpoints',
    judge: ofDaemon(({ witness }) => {
      if (witness === null || witness.policy === null) return skipped('no policy of our own (witness.policy_file)');
      if (witness.policy.met) return pass(`${plural(witness.cosignatures.length, 'cosignature')}, the policy is met`);
      const missing = witness.policy.missing.join(', ');
      return fail(
        `no cosignature of ${missing}: peers are served an older checkpoint`,
        'Ask these witnesses; docs/OPERATIONS.md, Witnesses',
      );
    }),
  },
  {
    id: 'logs.joined',
    title: 'no log has shown heads that nobody could join',
    judge: ofDaemon(({ witness }) => {
      const open = (witness?.logs ?? []).filter(({ unreconciled }) => unreconciled > 0);
      if (open.length === 0) return pass('every head that was seen joins with ours');
      const who = open.map(({ origin, unreconciled }) => `${origin}: ${unreconciled}`).join(', ');
      return warn(`heads seen elsewhere and not joined: ${who}`, 'docs/OPERATIONS.md, Witnesses');
    }),
  },
  {
    id: 'restore.outside',
    title: 'an old copy of the data folder would be noticed',
    judge: ({ config, peerFiles, dir }) => {
      if (config === null) return skipped('the configuration is not valid');
      if (peerFiles.length > 0) return pass(`${plural(peerFiles.length, 'peer')} can be asked after a restore`);
      if (!config.guard.signedHeadsFile.startsWith(dir))
        return pass(`signed heads are kept at ${config.guard.signedHeadsFile}`);
      return warn(
        'no peer can be asked, and the signed heads would be restored together with the journal',
        'guard.signed_heads_file on another volume',
      );
    },
  },
  {
    id: 'recall.verified',
    title: 'a recall with Stigmem-Verify: full verifies at the client',
    judge: ofNode(({ recall }) => {
      if (recall.kind === 'empty') return skipped('there is no fact to recall yet');
      if (recall.kind === 'verified') return pass(recall.sentence);
      return fail(recall.message, recall.fix ?? 'stigmem-peerd fsck --data DIR');
    }),
  },
  {
    id: 'peers.state',
    title: 'no peer is suspended, or waits for an operator',
    judge: ofDaemon(({ peers }) => {
      if (peers.length === 0) return skipped('there are no peers');
      const held = peers.filter(({ state, key_changes }) => state === 'suspended' || key_changes.length > 0);
      if (held.length > 0)
        return fail(
          held.map(({ name, waiting_on }) => `${name}: ${waiting_on}`).join('; '),
          `stigmem-peerd peer show ${held[0]?.name} --data DIR`,
        );
      const open = peers.filter(({ circuit }) => circuit !== 'closed');
      if (open.length === 0) return pass(plural(peers.length, 'peer'));
      return warn(
        open.map(({ name, circuit_reason }) => `${name}: ${circuit_reason}`).join('; '),
        `stigmem-peerd peer show ${open[0]?.name} --data DIR`,
      );
    }),
  },
  {
    id: 'peers.refuse_ours',
    title: 'peers take what we say',
    judge: ofDaemon(({ peers }) => {
      const counts = peers.map(({ name, refused_of_ours }) => {
        return { name, count: refused_of_ours.reduce((sum, { refused, resolved }) => sum + refused - resolved, 0) };
      });
      const refusing = counts.filter(({ count }) => count > 0);
      if (refusing.length === 0) return pass('none says that it refuses facts of ours');
      const seen = refusing.map(({ name, count }) => `${name} refuses ${count}`).join(', ');
      return warn(seen, `stigmem-peerd peer notices ${refusing[0]?.name} --data DIR`);
    }),
  },
  {
    id: 'grants.ending',
    title: 'no grant has ended, or ends soon, unnoticed',
    judge: ({ peerFiles, nowMs }) => {
      const soon = peerFiles
        .filter(({ disabled }) => !disabled)
        .flatMap(({ name, share, accept }) => [
          ...endings(share, nowMs).map((grant) => `${name}: share ${grant}`),
          ...endings(accept, nowMs).map((grant) => `${name}: accept ${grant}`),
        ]);
      if (soon.length > 0) return warn(soon.join('; '), 'Renew it in peers/NAME.toml, or take it out.');
      return pass(`grants of ${plural(peerFiles.length, 'peer')}, none ends within 14 days`);
    },
  },
  {
    id: 'desk.waiting',
    title: 'nothing waits for a decision',
    judge: ofNode(({ quarantined, proposals }) => {
      const waiting = [
        ...(quarantined > 0
          ? [`facts are in quarantine (${quarantined === LIST_MOST ? 'at least ' : ''}${quarantined})`]
          : []),
        ...(proposals > 0 ? [`${plural(proposals, 'proposal')} open`] : []),
      ];
      if (waiting.length === 0) return pass('no fact is in quarantine, no proposal is open');
      const fix =
        quarantined > 0 ? 'stigmem-peerd quarantine list --data DIR' : 'stigmem-peerd approval list --data DIR';
      return warn(waiting.join(', '), fix);
    }),
  },
];

/** So many are asked for of a list that is only counted. */
export const LIST_MOST = 100;

function endings(grants: readonly FeedGrant[], nowMs: number): readonly string[] {
  return grants.flatMap(({ feed, notAfterMs }) => {
    if (notAfterMs === null || notAfterMs - nowMs > SOON_MS) return [];
    const when = new Date(notAfterMs).toISOString();
    return [`${feed} ${notAfterMs <= nowMs ? 'ended' : 'ends'} at ${when}`];
  });
}
