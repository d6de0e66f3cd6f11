import { z } from '@hono/zod-openapi';

export const liveSchema = z
  .object({ status: z.literal('live').openapi('LiveStatus', { type: 'string' }) })
  .openapi('Live');

const bootedRuntimeSchema = z
  .object({ name: z.string(), kernels: z.string().optional() })
  .openapi('BootedRuntime');

export const readySchema = z
  .object({
    status: z.literal('ready').openapi('ReadyStatus', { type: 'string' }),
    model: z.string(),
    model_version: z.string(),
    loaded_models: z.array(z.string()),
    runtime_memory_bytes: z.int(),
    runtimes: z
      .array(bootedRuntimeSchema)
      .openapi({ description: 'What has booted, and which of its kernels run.' }),
  })
  .openapi('Ready');
