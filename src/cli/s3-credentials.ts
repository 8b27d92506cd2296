/** Credentials of an S3-compatible store: from a private file in the form of the AWS tools, else from the environment. */
import { readPrivateFile } from '../config/secret-file.ts';
import { CliError } from './exit.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface S3Credentials {
  readonly accessKeyId: string | undefined;
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
}

const MAX_FILE_BYTES = 65_536;

/** @throws CliError `usage` for a file that cannot be read, or that others can read */
export function s3Credentials(env: Environment): S3Credentials {
  const path = env['AWS_SHARED_CREDENTIALS_FILE'];
  const found = path === undefined ? fromEnvironment(env) : fromFile(path, env['AWS_PROFILE'] ?? 'default');
  const member = (name: string): string | undefined => found.get(name);
  return {
    accessKeyId: member('aws_access_key_id'),
    secretAccessKey: member('aws_secret_access_key'),
    sessionToken: member('aws_session_token'),
  };
}

function fromEnvironment(env: Environment): ReadonlyMap<string, string> {
  const names = ['aws_access_key_id', 'aws_secret_access_key', 'aws_session_token'];
  return new Map(
    names.flatMap((name) => (env[name.toUpperCase()] === undefined ? [] : [[name, env[name.toUpperCase()] ?? '']])),
  );
}

/** `name = value` below `[profile]`. */
function fromFile(path: string, profile: string): ReadonlyMap<string, string> {
  const read = readPrivateFile(path, 'the credentials of the store', MAX_FILE_BYTES);
  if (!read.ok) {
    const { where, message, fix } = read.error;
    throw new CliError({ exit: 'usage', message: `${where}: ${message}`, fix });
  }
  const members = new Map<string, string>();
  let section = '';
  for (const line of read.value.split(/\r?\n/)) {
    section = /^\s*\[(.*)\]\s*$/.exec(line)?.[1]?.trim() ?? section;
    const [, name, value] = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/.exec(line) ?? [];
    if (section === profile && name !== undefined && value !== undefined) members.set(name, value);
  }
  return members;
}
