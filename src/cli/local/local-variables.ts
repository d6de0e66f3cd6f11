import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { projectRoot } from '../paths.ts';

/** Defaults of a service for the person at this machine: it needs no key and limits no rate. */
const localDefaults = {
  PUBLIC_SCOPES: 'classify,batch,teach,admin',
  RATE_LIMIT_REQUESTS: '0',
  // Otherwise other pages could reach the service through the developer's browser.
  LOOPBACK_ONLY: 'on',
  // A page under development runs on another port.
  CORS_ORIGINS: 'loopback',
  UPLOAD_TOKEN_SECRET: crypto.randomUUID(),
  // After a restart no message is on its way, so a chunk is sent again after a minute without progress.
  BATCH_STALL_SECONDS: '60',
  LOG_ANSWERS: 'on',
};

/** Variables of the Worker that may be set in this process's environment. */
const passedOn = new RegExp(
  '^((NODE_TIER|BATCH|WEBHOOK|OBJECT|RATE_LIMIT)_[A-Z_]+|API_KEYS|PUBLIC_SCOPES|UPLOAD_TOKEN_SECRET|' +
    'IMAGE_URL_ALLOW|CORS_ORIGINS|LOOPBACK_ONLY|MODEL_ALIASES|ANSWER_CACHE_SECONDS|ANSWER_CACHE_SHARED|CATALOG_TTL_SECONDS|SERVER_TIMING|' +
    'ENGINE_KERNELS|LOG_ANSWERS)$',
);

/** Over the variables of wrangler.toml: defaults of this machine, then `.dev.vars`, then the environment. */
export function readLocalVariables(): Record<string, string> {
  const secrets = readSecretNames(process.env['WEBHOOK_SOURCES'] ?? '');
  const entries = Object.entries(process.env).filter(
    ([name]) => passedOn.test(name) || secrets.includes(name),
  );
  return { ...localDefaults, ...readDevVars(), ...(Object.fromEntries(entries) as Record<string, string>) };
}

/** wrangler's file of secrets for local development. */
function readDevVars(): Record<string, string> {
  try {
    return parseEnv(readFileSync(join(projectRoot, '.dev.vars'), 'utf8')) as Record<string, string>;
  } catch {
    return {};
  }
}

/** Names of secrets in WEBHOOK_SOURCES, which may be any names. The Worker reports errors in the list. */
function readSecretNames(sources: string): readonly unknown[] {
  try {
    return (JSON.parse(sources) as { readonly secrets?: readonly unknown[] }[]).flatMap(
      ({ secrets }) => secrets ?? [],
    );
  } catch {
    return [];
  }
}
