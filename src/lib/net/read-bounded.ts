/**
 * Reads a whole body of at most `maxBytes`. A declared length is used only to refuse a body early.
 *
 * @param createError makes the rejection as soon as one byte more than `maxBytes` is declared or has come.
 * @param hold waits until `bytes` in all may be kept; called before they are kept.
 * @returns no bytes if there is no body.
 */
export async function readBounded(
  response: Response,
  maxBytes: number,
  createError: () => Error,
  hold?: (bytes: number) => Promise<void>,
): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array();
  if (Number(response.headers.get('content-length') ?? 0) > maxBytes) {
    await response.body.cancel();
    throw createError();
  }
  const chunks: Uint8Array[] = [];
  let total = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      total += value.byteLength;
      if (total > maxBytes) throw createError();
      await hold?.(total);
      chunks.push(value);
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    throw error;
  }
  const whole = new Uint8Array(total);
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return whole;
}
