import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readVersions } from '../../../src/worm/s3-versions.ts';

const ONE = (key: string, version: string, isLatest: boolean): string =>
  `<Version>\n<Key>${key}</Key><VersionId>${version}</VersionId><IsLatest>${isLatest}</IsLatest></Version>`;

test('of the versions those below others, and what the next page is asked for with', () => {
  const marker = '<DeleteMarker><Key>d</Key><VersionId>9</VersionId><IsLatest>true</IsLatest></DeleteMarker>';
  const body = `${ONE('a&amp;b', '2', true)}${ONE('a&amp;b', '1', false)}${marker}${ONE('d', '8', false)}`;
  const shadowed = [
    { key: 'a&b', version: '1' },
    { key: 'd', version: '8' },
  ];
  const last = `<ListVersionsResult><IsTruncated>false</IsTruncated>${body}</ListVersionsResult>`;
  assert.deepEqual(readVersions(last), { shadowed, next: null });
  const more = `<IsTruncated>true</IsTruncated><NextKeyMarker>d</NextKeyMarker><NextVersionIdMarker>8</NextVersionIdMarker>${body}`;
  assert.deepEqual(readVersions(more), { shadowed, next: { 'key-marker': 'd', 'version-id-marker': '8' } });
  for (const text of ['', 'garbage', '<Version></Version>', '<Version><IsLatest>false</IsLatest></Version>'])
    assert.deepEqual(readVersions(text), { shadowed: [], next: null }, text);
});
