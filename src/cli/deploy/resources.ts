import { z } from 'zod';
import { callWrangler, WranglerError } from './call-wrangler.ts';
import type { Deployment } from './deployment.ts';
import type { Step } from './step.ts';

/**
 * Creates the buckets, databases and queues of a deployment that do not exist yet.
 *
 * `wrangler deploy` would create buckets, databases and the queues that the Worker sends to (not its dead-letter
 * queues). They are created earlier, because models and tables have to be there when the first request comes.
 */
export function createResources({ buckets, databases, queues }: Deployment): Step[] {
  return [
    ...buckets.map((bucket) => createBucket(bucket)),
    ...databases.map((database) => createDatabase(database)),
    ...queues.map((queue) => createQueue(queue)),
  ];
}

/** R2's code for a bucket that the account owns already. */
const bucketExists = 10_004;

/** Creates a bucket, which also tells whether it exists. wrangler's list cannot tell, because it shows only the first page. */
function createBucket(bucket: string): Step {
  const args = ['r2', 'bucket', 'create', bucket];
  return {
    title: `R2 bucket ${bucket}`,
    calls: [`npx wrangler ${args.join(' ')}`],
    async run() {
      try {
        await callWrangler(args);
        return 'created';
      } catch (error) {
        if (error instanceof WranglerError && error.hasCode(bucketExists)) return 'there already';
        throw error;
      }
    },
  };
}

const databasesSchema = z.array(z.object({ name: z.string() }));

function createDatabase(database: string): Step {
  const list = ['d1', 'list', '--json'];
  const create = ['d1', 'create', database];
  return {
    title: `D1 database ${database}`,
    calls: [`npx wrangler ${list.join(' ')}`, `unless it is there: npx wrangler ${create.join(' ')}`],
    async run() {
      const databases = databasesSchema.parse(JSON.parse((await callWrangler(list)).stdout));
      if (databases.some(({ name }) => name === database)) return 'there already';
      await callWrangler(create);
      return 'created';
    },
  };
}

function createQueue(queue: string): Step {
  const info = ['queues', 'info', queue];
  const create = ['queues', 'create', queue];
  return {
    title: `Queue ${queue}`,
    calls: [`npx wrangler ${info.join(' ')}`, `unless it is there: npx wrangler ${create.join(' ')}`],
    async run() {
      if (await queueExists(info, queue)) return 'there already';
      await callWrangler(create);
      return 'created';
    },
  };
}

async function queueExists(info: readonly string[], queue: string): Promise<boolean> {
  try {
    const { stdout } = await callWrangler(info);
    // The API filters by name. It does not say whether it also returns names that only begin with it.
    return stdout.split('\n').some((line) => line.trim() === `Queue Name: ${queue}`);
  } catch (error) {
    if (error instanceof WranglerError && error.output.includes(`Queue "${queue}" does not exist`))
      return false;
    throw error;
  }
}
