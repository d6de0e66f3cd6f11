import { maxDrainBytes, maxDrainMs } from '../../limits.ts';
import { withTimeout } from '../with-timeout.ts';

/**
 * Reads on without keeping anything, up to a bound of bytes and of time, also where no byte comes. A client that is
 * still sending when the answer comes sees a reset connection instead of the problem that explains it.
 */
export async function drain(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const deadline = Date.now() + maxDrainMs;
  try {
    for (let drained = 0; drained < maxDrainBytes && Date.now() < deadline; ) {
      const left = Math.max(1, deadline - Date.now());
      const { done, value } = await withTimeout(reader.read(), left, () => new Error('too slow'));
      if (done) return;
      drained += value.byteLength;
    }
  } catch {
    // The client is gone, and nobody reads the answer, or it sends nothing more, and has waited long enough.
  }
  await reader.cancel().catch(() => undefined);
}
