/**
 * Decodes a decimal without sign, leading zeros or white space.
 *
 * @returns undefined for anything else, and for numbers above 2^53 - 1
 */
export function decodeDecimal(text: string): number | undefined {
  if (!/^(?:0|[1-9][0-9]{0,15})$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
