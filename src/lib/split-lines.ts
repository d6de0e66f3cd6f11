/**
 * Splits text that comes in pieces into lines without their line ends. The last line need not have one.
 *
 * @param maxCharacters of one line.
 * @param tooLong makes the error that is thrown as soon as a line is longer.
 */
export async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  maxCharacters: number,
  tooLong: () => Error,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let pending: string[] = [];
  let pendingLength = 0;
  const add = (text: string) => {
    pending.push(text);
    pendingLength += text.length;
    if (pendingLength > maxCharacters) throw tooLong();
  };
  for await (const chunk of chunks) {
    const [first = '', ...rest] = decoder.decode(chunk, { stream: true }).split('\n');
    add(first);
    for (const next of rest) {
      yield pending.join('');
      pending = [];
      pendingLength = 0;
      add(next);
    }
  }
  add(decoder.decode());
  if (pendingLength > 0) yield pending.join('');
}
