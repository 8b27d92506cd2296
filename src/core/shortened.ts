/** A text from outside as a message may repeat it: whole, or its beginning and a dot that says so. */
export function shortened(text: string, maxChars: number): string {
  return text.length > maxChars ? `${text.slice(0, maxChars - 1).toWellFormed()}…` : text;
}
