import { performance } from 'node:perf_hooks';
import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';

const labels = ['model', 'version'] as const;

/** Counters with Triton's names, so that its dashboards and autoscaling rules work. */
export class TierMetrics {
  readonly #registry = new Registry();
  readonly #counter = (name: string, help: string) =>
    new Counter({ name, help, labelNames: labels, registers: [this.#registry] });
  readonly success = this.#counter('nv_inference_request_success', 'Images answered with predictions.');
  readonly failure = this.#counter('nv_inference_request_failure', 'Images answered with a problem.');
  readonly inferences = this.#counter('nv_inference_count', 'Inferences performed: images, not batches.');
  readonly executions = this.#counter('nv_inference_exec_count', 'Batches executed.');
  readonly requestUs = this.#counter('nv_inference_request_duration_us', 'From arrival to answer.');
  readonly inputUs = this.#counter(
    'nv_inference_compute_input_duration_us',
    'Decoding and preprocessing, by the threads that do it.',
  );
  readonly queueUs = this.#counter(
    'nv_inference_queue_duration_us',
    'Waiting for a decoder, a batch and an instance.',
  );
  readonly computeUs = this.#counter('nv_inference_compute_infer_duration_us', 'Computing, summed by batch.');
  readonly pending = new Gauge({
    name: 'nv_inference_pending_request_count',
    help: 'Images admitted and not yet answered.',
    registers: [this.#registry],
  });

  constructor() {
    // process_cpu_seconds_total, process_resident_memory_bytes, ... by their usual names.
    collectDefaultMetrics({ register: this.#registry });
    const busy: Gauge = new Gauge({
      name: 'resnet_edge_tier_main_thread_busy_seconds',
      help: 'What the thread that answers HTTP was not idle.',
      registers: [this.#registry],
      collect: () => busy.set(performance.eventLoopUtilization().active / 1000),
    });
  }

  format(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }
}
