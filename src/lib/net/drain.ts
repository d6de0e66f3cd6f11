import { maxDrainBytes, maxDrainMs } from '../../limits.ts';
import { withTimeout } from '../with-timeout.ts';

/**
 * Reads the rest of a body and drops it, up to a limit of bytes and of time. Otherwise a client that is still sending
 * when the answer comes sees a reset connection instead of the answer.
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
    // Either the client is gone and nobody reads the answer, or it sends nothing more and has waited long enough.
  }
  await reader.cancel().catch(() => undefined);
}
