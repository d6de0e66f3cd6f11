import { fingerprintSources } from '../build/source-fingerprint.ts';
import { persistenceDir } from './prepare-storage.ts';
import { readWorkerOptions } from './worker-options.ts';

/** The buckets, namespaces and databases of `npm start`, without the Worker. */
export async function openLocalStorage<Bindings>() {
  const { r2Buckets, kvNamespaces, d1Databases } = await readWorkerOptions(await fingerprintSources());
  const { Log, LogLevel, Miniflare, convertV4MiniflareOptions } = await import('miniflare');
  const miniflare = new Miniflare(
    convertV4MiniflareOptions({
      modules: true,
      script: 'export default {}',
      cf: false,
      telemetry: { enabled: false },
      log: new Log(LogLevel.WARN),
      resourcePersistencePath: persistenceDir,
      r2Buckets,
      kvNamespaces,
      d1Databases,
    }),
  );
  return { bindings: await miniflare.getBindings<Bindings>(), close: () => miniflare.dispose() };
}
