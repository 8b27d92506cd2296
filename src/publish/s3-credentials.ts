/** Credentials of an S3-compatible store: from a private file in the form of the AWS tools, else from the environment. */
import type { ConfigProblem } from '../config/problem.ts';
import { readPrivateFile } from '../config/secret-file.ts';
import { ok, type Result } from '../core/result.ts';

type Environment = Readonly<Record<string, string | undefined>>;

export interface S3Credentials {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
}

const MAX_FILE_BYTES = 65_536;

/** The error is about a file that cannot be read, or that others can read. */
export function s3Credentials(env: Environment): Result<S3Credentials, ConfigProblem> {
  const path = env['AWS_SHARED_CREDENTIALS_FILE'];
  if (path !== undefined) return s3CredentialsIn(path, env['AWS_PROFILE'] ?? 'default');
  const names = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'];
  return ok(
    credentialsOf(
      new Map(
        names.flatMap((name) => (env[name.toUpperCase()] === undefined ? [] : [[name, env[name.toUpperCase()] ?? '']])),
      ),
    ),
  );
}

/** `name = value` below `[profile]`. */
export function s3CredentialsIn(path: string, profile: string): Result<S3Credentials, ConfigProblem> {
  const read = readPrivateFile(path, 'the credentials of the store', MAX_FILE_BYTES);
  if (!read.ok) return read;
  const members = new Map<string, string>();
  let section = '';
  for (const line of read.value.split(/\r?\n/)) {
    section = /^\s*\[(.*)\]\s*$/.exec(line)?.[1]?.trim() ?? section;
    const [, name, value] = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/.exec(line) ?? [];
    if (section === profile && name !== undefined && value !== undefined) members.set(name, value);
  }
  return ok(credentialsOf(members));
}

function credentialsOf(members: ReadonlyMap<string, string>): S3Credentials {
  return {
    accessKeyId: members.get('aws_access_key_id'),
    secretAccessKey: members.get('aws_secret_access_key'),
    sessionToken: members.get('aws_session_token'),
  };
}
