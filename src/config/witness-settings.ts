/** The `[witness]` section, with the policy file that it names. */
import { readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { MAX_POLICY_CHARS, parsePolicy, type WitnessPolicy } from '../merkle/tlog-policy.ts';
import { parseVerifierKey } from '../merkle/verifier-key.ts';
import { type ConfigProblem, shownPath } from './problem.ts';
import type { Settings } from './settings-form.ts';

export interface WitnessConfig {
  /** Logs that are cosigned beside those of peers. */
  readonly logs: readonly { readonly origin: string; readonly key: Uint8Array }[];
  /** The node's own policy; null: none. */
  readonly policy: WitnessPolicy | null;
  /** The file that it stands in. */
  readonly policyFile: string | null;
  readonly gossipIntervalMs: number;
}

type Section = Settings['witness'];

/** Reads the policy file of the section. @returns a problem for a file that cannot be read, or is no policy */
export function checkWitnessPolicyFile(dir: string, section: Section): readonly ConfigProblem[] {
  const read = readPolicy(dir, section);
  return read.problem === null ? [] : [read.problem];
}

/** The section of checked settings; the policy has been checked too. */
export function witnessConfig(dir: string, section: Section): WitnessConfig {
  const logs = section.logs.flatMap((vkey) => {
    const key = parseVerifierKey(vkey);
    return key.ok ? [{ origin: key.value.name, key: key.value.publicKey }] : [];
  });
  const policyFile = section.policy_file === '' ? null : pathIn(dir, section.policy_file);
  return {
    logs,
    policyFile,
    policy: readPolicy(dir, section).policy,
    gossipIntervalMs: section.gossip_interval_s * 1_000,
  };
}

function pathIn(dir: string, path: string): string {
  return isAbsolute(path) ? path : join(dir, path);
}

function readPolicy(
  dir: string,
  { policy_file }: Section,
): { policy: WitnessPolicy | null; problem: ConfigProblem | null } {
  if (policy_file === '') return { policy: null, problem: null };
  const path = pathIn(dir, policy_file);
  const problem = (where: string, message: string): { policy: null; problem: ConfigProblem } => ({
    policy: null,
    problem: {
      where: shownPath(where),
      key: 'witness.policy_file',
      message,
      fix: 'See docs/OPERATIONS.md, Witnesses.',
    },
  });
  let text: string;
  try {
    text = readFileSync(path, 'utf8').slice(0, MAX_POLICY_CHARS + 1);
  } catch (error) {
    return problem(path, `expected a witness policy, got no readable file (${shownPath((error as Error).message)})`);
  }
  const parsed = parsePolicy(text);
  if (parsed.ok) return { policy: parsed.value, problem: null };
  const { line, message } = parsed.error;
  return problem(line === 0 ? path : `${path}:${line}`, message);
}
