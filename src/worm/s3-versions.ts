/** A page of the versions in a bucket, as S3-compatible stores list them. Pure and total. */

export interface ListedVersions {
  /** Those that are not the newest of their key. */
  readonly shadowed: readonly { readonly key: string; readonly version: string }[];
  /** What the next page is asked for with; null: this is the last. */
  readonly next: Readonly<Record<string, string>> | null;
}

export function readVersions(xml: string): ListedVersions {
  const shadowed = [...xml.matchAll(/<Version>(.*?)<\/Version>/gs)].flatMap(([, one = '']) => {
    const [key, version] = [textOf(one, 'Key'), textOf(one, 'VersionId')];
    const isOlder = textOf(one, 'IsLatest') === 'false' && key !== null && version !== null;
    return isOlder ? [{ key, version }] : [];
  });
  const [key, version] = [textOf(xml, 'NextKeyMarker'), textOf(xml, 'NextVersionIdMarker')];
  const isLast = textOf(xml, 'IsTruncated') !== 'true' || key === null;
  const marker = { 'key-marker': key ?? '', ...(version === null ? {} : { 'version-id-marker': version }) };
  return { shadowed, next: isLast ? null : marker };
}

function textOf(xml: string, name: string): string | null {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  return text === ''
    ? null
    : text.replaceAll('&quot;', '"').replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&amp;', '&');
}
