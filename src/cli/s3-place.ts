/** `s3://bucket/prefix` of a command line, with the credentials that its environment names. */
import { S3_PLACE } from '../config/section-worm.ts';
import type { S3Options } from '../publish/s3-client.ts';
import { s3Credentials } from '../publish/s3-credentials.ts';
import { CliError } from './exit.ts';

const NO_CREDENTIALS = 'set AWS_SHARED_CREDENTIALS_FILE, or';

/** @throws CliError `usage` with everything that is missing, not only the first */
export function s3PlaceOf(
  target: string,
  endpoint: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Omit<S3Options, 'http'> {
  const [, bucket, prefix = ''] = S3_PLACE.exec(target) ?? [];
  const address = endpoint ?? env['AWS_ENDPOINT_URL_S3'] ?? env['AWS_ENDPOINT_URL'];
  const credentials = s3Credentials(env);
  if (!credentials.ok) {
    const { where, message, fix } = credentials.error;
    throw new CliError({ exit: 'usage', message: `${where}: ${message}`, fix });
  }
  const { accessKeyId, secretAccessKey, sessionToken } = credentials.value;
  const problems = [
    bucket === undefined ? `expected s3://bucket/prefix, got ${JSON.stringify(target)}` : null,
    address === undefined ? 'no address of the store: set --endpoint or AWS_ENDPOINT_URL' : null,
    address !== undefined && !isHttpUrl(address)
      ? `expected a URL with http(s):// as the endpoint, got ${JSON.stringify(address)}`
      : null,
    accessKeyId === undefined ? `no credentials: ${NO_CREDENTIALS} AWS_ACCESS_KEY_ID` : null,
    secretAccessKey === undefined ? `no credentials: ${NO_CREDENTIALS} AWS_SECRET_ACCESS_KEY` : null,
  ].filter((one) => one !== null);
  if (
    bucket === undefined ||
    address === undefined ||
    accessKeyId === undefined ||
    secretAccessKey === undefined ||
    problems.length > 0
  ) {
    throw new CliError({ exit: 'usage', message: problems.join('\n') });
  }
  const region = env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION'] ?? 'us-east-1';
  const shared = {
    bucket,
    prefix: prefix.replace(/^\/+|\/+$/g, ''),
    endpoint: address,
    region,
    accessKeyId,
    secretAccessKey,
  };
  return sessionToken === undefined ? shared : { ...shared, sessionToken };
}

function isHttpUrl(text: string): boolean {
  return ['http:', 'https:'].includes(URL.parse(text)?.protocol ?? '');
}
