/** An S3 server of others is there for tests: it keeps what a signed request puts, and refuses one that is signed wrongly. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { AwsClient } from 'aws4fetch';
import { startS3 } from './programs/s3.ts';

const s3 = await startS3({ after });
const account = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey, region: s3.region, service: 's3' };

test('put, get, list; a wrong secret is refused', async () => {
  const client = new AwsClient({ ...account, retries: 0 });
  const object = `${s3.url}/${s3.bucket}/tile/0/x001/067`;
  const put = await client.fetch(object, { method: 'PUT', body: Buffer.from('hashes') });
  assert.equal(put.status, 200, await put.text());
  assert.equal(readFileSync(join(s3.bucketFolder, 'tile/0/x001/067'), 'utf8'), 'hashes');
  const get = await client.fetch(object);
  assert.deepEqual([get.status, await get.text()], [200, 'hashes']);
  const list = await client.fetch(`${s3.url}/${s3.bucket}?list-type=2&prefix=tile/`);
  assert.match(await list.text(), /<Key>tile\/0\/x001\/067<\/Key>/);
  const stranger = new AwsClient({ ...account, secretAccessKey: 'wrong', retries: 0 });
  const refused = await stranger.fetch(object, { method: 'PUT', body: Buffer.from('other') });
  assert.equal(refused.status, 403, await refused.text());
});
