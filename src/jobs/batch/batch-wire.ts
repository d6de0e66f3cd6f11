import { type Batch, isFinished } from './batch.ts';

/** A batch as HTTP and webhooks show it. */
export function toBatchJson(batch: Batch, now: number = Date.now()) {
  const { total, succeeded, failed, startedAt, finishedAt } = batch;
  const settled = succeeded + failed;
  const seconds = startedAt === undefined ? 0 : ((finishedAt ?? now) - startedAt) / 1000;
  const rate = seconds > 0 ? settled / seconds : 0;
  const running = batch.status === 'processing' && rate > 0;
  return {
    id: batch.id,
    status: batch.status,
    model: batch.model,
    model_version: batch.modelVersion,
    task: batch.task,
    top_k: batch.topK,
    tier: batch.tier,
    counts: { total, succeeded, failed, pending: Math.max(0, total - settled) },
    /** Items a second since it started. */
    rate: Math.round(rate * 100) / 100,
    estimated_finish_at: running ? toIso(now + ((total - settled) / rate) * 1000) : null,
    trouble: isFinished(batch) ? null : (batch.lastTrouble ?? null),
    webhook_url: batch.webhookUrl ?? null,
    metadata: batch.metadata,
    created_at: toIso(batch.createdAt),
    started_at: toIso(startedAt),
    finished_at: toIso(finishedAt),
    expires_at: toIso(batch.expiresAt),
  };
}

function toIso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
