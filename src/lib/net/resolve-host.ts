import { resolve4, resolve6 } from 'node:dns/promises';

/**
 * Every address of a name: workerd asks Cloudflare's resolver for it, Node the system's servers.
 *
 * @throws what the resolver says if the name has none.
 */
export async function resolveHost(hostname: string): Promise<readonly string[]> {
  const [v4, v6] = await Promise.allSettled([resolve4(hostname), resolve6(hostname)]);
  const found = [v4, v6].flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
  if (found.length === 0 && v4.status === 'rejected') throw v4.reason;
  return found;
}
