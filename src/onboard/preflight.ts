/** What is looked at before anybody says yes: each line passes or fails, and says what to do. Pure. */
import type { PeerFile } from '../config/peer-file.ts';
import { type DisclosureRules, decideFeed, decisionSentence } from '../core/disclosure.ts';
import { DEFAULT_MAX_FUTURE_SKEW_MS } from '../core/limits.ts';
import type { OnboardingCheck } from '../core/onboarding.ts';
import { pinPeer, readDeclared } from '../pull/declare.ts';
import type { PeerNote } from '../wire/peer-note.ts';
import { HELLO_PROTOCOL, PULL_PROTOCOL } from '../wire/protocols.ts';
import type { OpenedSuccession } from '../wire/succession.ts';
import type { Meeting, MetRecord } from './record.ts';

/** Without these two nothing can be taken from a partner. */
const NEEDED: readonly string[] = [HELLO_PROTOCOL, PULL_PROTOCOL];

export interface PreflightInput {
  readonly record: MetRecord;
  readonly partner: PeerNote;
  /** The file that it would become. */
  readonly file: PeerFile;
  /** The file that names the same partner or has the same name; undefined: none. */
  readonly clash: PeerFile | undefined;
  /** The declaration that is kept of this node id from before, and its statements. */
  readonly kept: { readonly pinned: string | null; readonly statements: readonly OpenedSuccession[] };
  readonly rules: DisclosureRules;
  readonly ownSoftware: string;
  readonly maxFutureSkewMs: number;
  readonly tls: OnboardingCheck | null;
  readonly whyNotDialled: (address: string) => string | null;
  readonly nowMs: number;
}

export function preflight(input: PreflightInput): readonly OnboardingCheck[] {
  const { record, tls } = input;
  const { meeting } = record;
  return [
    checkReach(input),
    checkKey(input),
    ...(meeting === null
      ? []
      : [checkClock(meeting, input.maxFutureSkewMs), checkVersions(meeting, input.ownSoftware)]),
    ...(tls === null ? [] : [tls]),
    checkGrants(input),
    checkPartner(input),
  ];
}

const REFUSED_FIX =
  'Is it really reached there, over a network of both? Then put that network into network.allow_addresses and restart. If not, it has to set listen.announce.';

function checkReach({ record, partner, whyNotDialled }: PreflightInput): OnboardingCheck {
  const where = partner.addresses.join(' ');
  const refused = partner.addresses.map(whyNotDialled);
  const [why] = refused;
  if (record.by !== 'join' && why != null && !refused.includes(null))
    return failed('reach', `it says it is at ${where}: ${why}`, REFUSED_FIX);
  if (record.by === 'join') return passed('reach', `reached at ${record.meeting?.seen_at ?? where}`);
  if (record.by === 'invite') {
    // Its addresses are those of somebody whom nobody has confirmed: they are not dialled before that.
    const dials =
      where === '' ? 'it gives no address and will dial us' : `it says it is at ${where}, dialled after the yes`;
    return passed('reach', `it reached us from ${record.meeting?.seen_at ?? 'somewhere'}; ${dials}`);
  }
  if (where !== '') return passed('reach', `not tried: the file gives ${where}, dialled after the yes`);
  const fix = 'It has to dial this node; if it cannot, let it set listen.announce and send a new file.';
  return failed('reach', 'the file gives no address', fix);
}

function checkKey({ partner, file, kept, nowMs }: PreflightInput): OnboardingCheck {
  // The words that both operators compare are over this very declaration: at the first contact it names the key.
  const declared = readDeclared(partner.declarationNote, file);
  const named = kept.pinned === null && declared.ok ? { ...file, logKey: declared.value.logVkey } : file;
  const pinned = pinPeer(partner.declarationNote, named, { ...kept, nowMs });
  if (pinned.ok) return passed('key', `${partner.peerId} has signed this; log ${pinned.value.peer.origin}`);
  const fix = `Ask the partner over another channel. A log key that has changed is taken with: stigmem-peerd peer trust-key ${file.name}`;
  return failed('key', pinned.error.detail, fix);
}

export function checkClock(
  { clock_ms, met_ms }: Pick<Meeting, 'clock_ms' | 'met_ms'>,
  maxFutureSkewMs: number,
): OnboardingCheck {
  const skewS = (clock_ms - met_ms) / 1_000;
  const detail = `its clock is ${Math.abs(skewS).toFixed(1)} s ${skewS < 0 ? 'behind' : 'ahead of'} ours`;
  const limitS = (maxFutureSkewMs === 0 ? DEFAULT_MAX_FUTURE_SKEW_MS : maxFutureSkewMs) / 1_000;
  if (Math.abs(skewS) <= limitS) return passed('clock', detail);
  const fix = `Set both clocks by NTP: facts dated more than ${limitS} s ahead are refused.`;
  return failed('clock', detail, fix);
}

export function checkVersions(
  { software, protocols }: Pick<Meeting, 'software' | 'protocols'>,
  ownSoftware: string,
): OnboardingCheck {
  const missing = NEEDED.filter((protocol) => !protocols.includes(protocol));
  const detail = `it runs ${software}, this is ${ownSoftware}`;
  if (missing.length === 0) return passed('versions', detail);
  return failed(
    'versions',
    `${detail}; it does not speak ${missing.join(' ')}`,
    'The older of the two has to be upgraded.',
  );
}

/** Decided as serving will decide it: a garden may be for others alone, whatever was offered. */
function checkGrants({ file, rules, nowMs }: PreflightInput): OnboardingCheck {
  const closed = file.share
    .map(({ feed }) => ({ feed, decision: decideFeed(feed, file, rules, nowMs) }))
    .filter(({ decision }) => decision.code !== 'granted');
  if (closed.length === 0) return passed('grants', 'every feed that is offered would be sent');
  const detail = closed
    .map(({ feed, decision }) => `${feed}: ${decisionSentence(decision, feed, file.name)}`)
    .join('; ');
  return failed(
    'grants',
    detail,
    'Name the partner in garden_members of config.toml and restart, or offer other feeds.',
  );
}

function checkPartner({ file, clash }: PreflightInput): OnboardingCheck {
  if (clash === undefined) return passed('partner', `no file names it yet; peers/${file.name}.toml will be made`);
  const detail = `peers/${clash.name}.toml is there already, for ${clash.nodeId} with ${clash.peerId}`;
  const fix = `Is it this partner? Then change that file, or remove it first: stigmem-peerd peer remove ${clash.name}`;
  return failed('partner', detail, fix);
}

function passed(name: OnboardingCheck['name'], detail: string): OnboardingCheck {
  return { name, ok: true, detail, fix: null };
}

function failed(name: OnboardingCheck['name'], detail: string, fix: string): OnboardingCheck {
  return { name, ok: false, detail, fix };
}
