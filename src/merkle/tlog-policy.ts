import { err, ok, type Result } from '../core/result.ts';
import { shortened } from '../core/shortened.ts';
import { checkCosignature } from './cosignature.ts';
import { ALG_COSIGNATURE_V1, ALG_ED25519, type SignedNote } from './note.ts';
import { noteVerifier, parseVerifierKey, type VerifierKey } from './verifier-key.ts';

/** A log or a witness that a policy names, by its key. */
export interface PolicyKey {
  /** Its verifier key as written. */
  readonly vkey: string;
  /** Name of its signature lines: the origin of a log, the name of a witness. */
  readonly keyName: string;
  readonly publicKey: Uint8Array;
  /** null: it is reached by other means, or not at all. */
  readonly url: string | null;
}

export interface PolicyWitness extends PolicyKey {
  /** Raw keys that have taken the place of the one named: a cosignature by any of them is the witness's. */
  readonly successors: readonly Uint8Array[];
  /** What the policy calls it; it has no meaning outside the policy. */
  readonly name: string;
}

/** At least `threshold` of the members have to witness; a member is a witness or a group. */
export interface PolicyGroup {
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly string[];
}

/** Which cosignatures make a checkpoint acceptable. */
export interface WitnessPolicy {
  readonly logs: readonly PolicyKey[];
  readonly witnesses: readonly PolicyWitness[];
  /** In the order of definition: members stand before the group. */
  readonly groups: readonly PolicyGroup[];
  /** Name of a witness or group; `none`: no cosignature is asked for. */
  readonly quorum: string;
}

/** Where a policy is not one. */
export interface PolicyFault {
  /** From 1; 0: the text as a whole. */
  readonly line: number;
  readonly message: string;
}

/** Names of the witnesses whose cosignature the checkpoint has, and of those whose it has not. */
export interface QuorumUnmet {
  readonly satisfied: readonly string[];
  readonly missing: readonly string[];
}

export const MAX_POLICY_CHARS = 65_536;
/** More cosignatures than a note may carry cannot be asked for. */
const MAX_WITNESSES = 60;
const MAX_LOGS = 256;
const MAX_GROUPS = 256;
const MAX_QUOTED_CHARS = 120;
const NONE = 'none';
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a policy may not hold
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/;

/**
 * Reads a policy. Total.
 *
 * @see C2SP tlog-policy (draft): a log, witness, group or quorum per line, `#` for comments; every name is defined before
 *   it is used and is a member once at most
 */
export function parsePolicy(text: string): Result<WitnessPolicy, PolicyFault> {
  if (text.length > MAX_POLICY_CHARS) return fault(0, `expected at most ${MAX_POLICY_CHARS} characters`);
  if (CONTROL.test(text) || !text.isWellFormed()) return fault(0, 'expected text without control characters');
  const reader = new PolicyReader();
  for (const [i, line] of text.split('\n').entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== '');
    if (words.length === 0 || words[0]?.startsWith('#')) continue;
    const message = reader.take(words);
    if (message !== null) return fault(i + 1, message);
  }
  return reader.finish();
}

/**
 * Checks which witnesses of a policy have cosigned a checkpoint. Pure and total. Whether a log of the policy signed it is
 * for the caller to say; a witness of which one line does not verify has not cosigned.
 */
export function checkWitnessPolicy(policy: WitnessPolicy, note: SignedNote): Result<'ok', QuorumUnmet> {
  const satisfied: string[] = [];
  const missing: string[] = [];
  const witnessed = new Map<string, boolean>([[NONE, true]]);
  for (const { name, keyName, publicKey, successors } of policy.witnesses) {
    const isCosigned = [publicKey, ...successors].some((key) => checkCosignature(note, { name: keyName, key }).ok);
    witnessed.set(name, isCosigned);
    (isCosigned ? satisfied : missing).push(name);
  }
  for (const { name, threshold, members } of policy.groups)
    witnessed.set(name, members.filter((member) => witnessed.get(member) === true).length >= threshold);
  return witnessed.get(policy.quorum) === true ? ok('ok') : err({ satisfied, missing });
}

/** Takes the lines of a policy one by one; each method says what is wrong with its line, or null. */
class PolicyReader {
  readonly #logs: PolicyKey[] = [];
  readonly #witnesses: PolicyWitness[] = [];
  readonly #groups: PolicyGroup[] = [];
  readonly #names = new Set<string>([NONE]);
  readonly #members = new Set<string>();
  #quorum: string | undefined;

  take([keyword, ...words]: readonly string[]): string | null {
    switch (keyword) {
      case 'log':
        return this.#log(words);
      case 'witness':
        return this.#witness(words);
      case 'group':
        return this.#group(words);
      case 'quorum':
        return this.#takeQuorum(words);
      default:
        return `expected log, witness, group or quorum, got ${quoted(keyword)}`;
    }
  }

  finish(): Result<WitnessPolicy, PolicyFault> {
    if (this.#quorum === undefined) return fault(0, 'expected one line "quorum <name>", got none');
    return ok({ logs: this.#logs, witnesses: this.#witnesses, groups: this.#groups, quorum: this.#quorum });
  }

  #log([vkey, url, ...more]: readonly string[]): string | null {
    if (vkey === undefined || more.length > 0) return 'expected "log <vkey> [<url>]"';
    if (this.#logs.length === MAX_LOGS) return `expected at most ${MAX_LOGS} logs`;
    const key = policyKey(vkey, url, ALG_ED25519, this.#logs);
    if (!key.ok) return key.error;
    this.#logs.push(key.value);
    return null;
  }

  #witness([name, vkey, url, ...more]: readonly string[]): string | null {
    if (name === undefined || vkey === undefined || more.length > 0) return 'expected "witness <name> <vkey> [<url>]"';
    if (this.#witnesses.length === MAX_WITNESSES) return `expected at most ${MAX_WITNESSES} witnesses`;
    const key = policyKey(vkey, url, ALG_COSIGNATURE_V1, this.#witnesses);
    if (!key.ok) return key.error;
    const taken = this.#define(name);
    if (taken !== null) return taken;
    this.#witnesses.push({ ...key.value, name, successors: [] });
    return null;
  }

  #group([name, rule, ...members]: readonly string[]): string | null {
    if (name === undefined || rule === undefined || members.length === 0)
      return 'expected "group <name> <number>|any|all <member>…"';
    if (this.#groups.length === MAX_GROUPS) return `expected at most ${MAX_GROUPS} groups`;
    const threshold = thresholdOf(rule, members.length);
    if (threshold === undefined) return `expected any, all or a number from 1 to ${members.length}`;
    for (const member of members) {
      if (member === NONE || !this.#names.has(member)) return `member ${quoted(member)} is not defined above`;
      // A witness that counts in two places would be two votes of one key.
      if (this.#members.has(member)) return `member ${quoted(member)} is in a group already`;
      this.#members.add(member);
    }
    const taken = this.#define(name);
    if (taken !== null) return taken;
    this.#groups.push({ name, threshold, members });
    return null;
  }

  #takeQuorum([name, ...more]: readonly string[]): string | null {
    if (name === undefined || more.length > 0) return 'expected "quorum <name>"';
    if (this.#quorum !== undefined) return 'expected one quorum line, got a second';
    if (!this.#names.has(name)) return `${quoted(name)} is not defined above`;
    this.#quorum = name;
    return null;
  }

  #define(name: string): string | null {
    if (this.#names.has(name)) return `the name ${quoted(name)} is taken already`;
    this.#names.add(name);
    return null;
  }
}

function thresholdOf(rule: string, members: number): number | undefined {
  if (rule === 'any') return 1;
  if (rule === 'all') return members;
  if (!/^[1-9][0-9]{0,2}$/.test(rule)) return undefined;
  return Number(rule) <= members ? Number(rule) : undefined;
}

function policyKey(
  vkey: string,
  url: string | undefined,
  algorithm: number,
  before: readonly PolicyKey[],
): Result<PolicyKey, string> {
  const key = parseVerifierKey(vkey);
  if (!key.ok || key.value.algorithm !== algorithm || !noteVerifier(key.value).ok) return err(wrongKey(key, algorithm));
  const { name, publicKey } = key.value;
  if (before.some((one) => Buffer.from(one.publicKey).equals(publicKey)))
    return err(`the key of ${quoted(name)} stands in a line above already`);
  return ok({ vkey, keyName: name, publicKey, url: url ?? null });
}

function wrongKey(key: Result<VerifierKey, unknown>, algorithm: number): string {
  const expected = algorithm === ALG_ED25519 ? 'an Ed25519 log key' : 'a cosignature/v1 witness key';
  const got = key.ok ? `a key of algorithm ${key.value.algorithm}, or an unusable one` : 'another text';
  return `expected ${expected}, <name>+<8 hex>+<base64>; got ${got}`;
}

/** A word of the policy as a message repeats it. */
function quoted(word: string | undefined): string {
  return JSON.stringify(shortened(word ?? '', MAX_QUOTED_CHARS));
}

function fault(line: number, message: string): { readonly ok: false; readonly error: PolicyFault } {
  return err({ line, message });
}
