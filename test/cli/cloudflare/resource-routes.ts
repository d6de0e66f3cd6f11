import { randomUUID } from 'node:crypto';
import type { D1 } from 'cloudflare/resources/d1/d1';
import type { DatabaseListResponse, QueryResult } from 'cloudflare/resources/d1/database';
import type { Queue } from 'cloudflare/resources/queues/queues';
import type { Bucket } from 'cloudflare/resources/r2';
import type { TokenVerifyResponse } from 'cloudflare/resources/user/tokens';
import type { Account } from './account.ts';
import { ApiError, type Routes } from './api-server.ts';

/** Login, R2, D1 and Queues, with the answers and error codes of Cloudflare's API. */
export function resourceRoutes(account: Account): Routes {
  const root = `/accounts/${account.id}`;
  const toJson = (body: Uint8Array) => JSON.parse(Buffer.from(body).toString());
  const toDatabase = (id: string): D1 => ({
    uuid: id,
    name: account.databases.get(id)!,
    created_at: '2026-11-28T00:00:00.000Z',
    version: 'production',
    num_tables: 0,
    file_size: 12_288,
  });
  const findDatabase = (idOrName: string): string => {
    const found = [...account.databases].find(([id, name]) => id === idOrName || name === idOrName);
    if (found) return found[0];
    throw new ApiError(404, 7404, `The database ${idOrName} could not be found`);
  };
  const toQueue = (name: string): Queue => {
    const { id, consumers } = account.queues.get(name)!;
    return {
      queue_id: id,
      queue_name: name,
      created_on: '2026-11-28T00:00:00.000Z',
      modified_on: '2026-11-28T00:00:00.000Z',
      producers_total_count: 0,
      producers: [],
      consumers_total_count: consumers.length,
      consumers: consumers.map(({ id: consumer, script, deadLetterQueue }) => ({
        consumer_id: consumer,
        script_name: script,
        dead_letter_queue: deadLetterQueue,
        type: 'worker',
      })),
    };
  };

  return {
    'GET /user/tokens/verify': (): TokenVerifyResponse => ({ id: 'token', status: 'active' }),
    'GET /user': () => ({ id: 'user', email: 'someone@example.com' }),
    'GET /accounts': () => account.logins,
    'GET /memberships': () =>
      account.logins.map(({ id, name }) => ({ id: `of-${id}`, account: { id, name } })),

    [`POST ${root}/r2/buckets`]: async ({ body }): Promise<Bucket> => {
      const { name } = toJson(body);
      if (account.buckets.has(name)) {
        throw new ApiError(409, 10_004, 'The bucket you tried to create already exists, and you own it.');
      }
      await account.createBucket(name);
      return { name, creation_date: '2026-11-28T00:00:00.000Z', location: 'weur', storage_class: 'Standard' };
    },
    [`GET ${root}/r2/buckets/([^/]+)`]: ({ parts: [name = ''] }): Bucket => {
      if (!account.buckets.has(name)) throw new ApiError(404, 10_006, 'The specified bucket does not exist.');
      return { name, location: 'weur', storage_class: 'Standard' };
    },
    [`PUT ${root}/r2/buckets/([^/]+)/objects/(.+)`]: async ({ parts: [name = '', key = ''], body }) => {
      if (!account.buckets.has(name)) throw new ApiError(404, 10_006, 'The specified bucket does not exist.');
      await (await account.bucket(name)).put(key, body);
      return { key, size: String(body.byteLength) };
    },
    [`GET ${root}/r2/buckets/([^/]+)/objects/(.+)`]: async ({ parts: [name = '', key = ''] }) => {
      const object = account.buckets.has(name) ? await (await account.bucket(name)).get(key) : null;
      if (object === null) throw new ApiError(404, 10_007, 'The specified key does not exist.');
      return new Uint8Array(await object.arrayBuffer());
    },

    [`GET ${root}/d1/database`]: (): DatabaseListResponse[] => [...account.databases.keys()].map(toDatabase),
    [`POST ${root}/d1/database`]: async ({ body }): Promise<D1> => {
      const { name } = toJson(body);
      if ([...account.databases.values()].includes(name)) {
        throw new ApiError(400, 7502, 'A database with that name already exists');
      }
      return toDatabase(await account.createDatabase(name));
    },
    [`GET ${root}/d1/database/([^/]+)`]: ({ parts: [idOrName = ''] }): D1 =>
      toDatabase(findDatabase(idOrName)),
    [`POST ${root}/d1/database/([^/]+)/query`]: async ({
      parts: [id = ''],
      body,
    }): Promise<QueryResult[]> => {
      const { sql, params = [] } = toJson(body);
      return await query(account, findDatabase(id), sql, params);
    },

    [`GET ${root}/queues`]: ({ query: search }): Queue[] => {
      const names = search.getAll('name');
      return [...account.queues.keys()]
        .filter((queue) => names.length === 0 || names.includes(queue))
        .map(toQueue);
    },
    [`POST ${root}/queues`]: ({ body }): Queue => {
      const { queue_name: name } = toJson(body);
      if (account.queues.has(name)) throw new ApiError(409, 11_009, `Queue name '${name}' is already taken.`);
      account.queues.set(name, { id: randomUUID(), consumers: [] });
      return toQueue(name);
    },
    [`GET ${root}/queues/([^/]+)/consumers`]: ({ parts: [id = ''] }) =>
      toQueue(findQueue(account, id)).consumers,
    [`POST ${root}/queues/([^/]+)/consumers`]: ({ parts: [id = ''], body }) => {
      const name = findQueue(account, id);
      const { script_name: script, dead_letter_queue: deadLetterQueue } = toJson(body);
      account.queues.get(name)!.consumers.push({ id: randomUUID(), script, deadLetterQueue });
      return toQueue(name).consumers?.at(-1);
    },
    [`PUT ${root}/queues/([^/]+)/consumers/([^/]+)`]: ({ parts: [id = ''] }) =>
      toQueue(findQueue(account, id)).consumers?.[0],
  };
}

function findQueue(account: Account, id: string): string {
  const found = [...account.queues].find(([, entry]) => entry.id === id);
  if (found) return found[0];
  throw new ApiError(404, 10_000, 'The specified queue does not exist.');
}

/** D1's API takes several statements in one text; SQLite's own splitting is wrangler's here. */
async function query(account: Account, id: string, sql: string, params: unknown[]): Promise<QueryResult[]> {
  const { unstable_splitSqlQuery } = await import('wrangler');
  const database = await account.database(id);
  const answers: QueryResult[] = [];
  for (const statement of unstable_splitSqlQuery(sql)) {
    try {
      const { results, meta } = await database
        .prepare(statement)
        .bind(...params)
        .all();
      answers.push({ results, meta, success: true });
    } catch (error) {
      throw new ApiError(400, 7500, error instanceof Error ? error.message : String(error));
    }
  }
  return answers;
}
