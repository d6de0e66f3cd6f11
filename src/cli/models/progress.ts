/** A progress bar on standard error where a person watches, nothing where output is piped. */
export class Progress {
  readonly #title: string;
  readonly #total: number | undefined;
  readonly #enabled = process.stderr.isTTY === true;
  #drawnAt = 0;

  constructor(title: string, total?: number) {
    this.#title = title;
    this.#total = total;
  }

  update(done: number): void {
    const now = Date.now();
    if (!this.#enabled || now - this.#drawnAt < 100) return;
    this.#drawnAt = now;
    const fraction = this.#total ? Math.min(1, done / this.#total) : undefined;
    const bar =
      fraction === undefined
        ? ''
        : ` ${'█'.repeat(Math.round(fraction * 24)).padEnd(24, '·')} ${Math.round(fraction * 100)} %`;
    process.stderr.write(`\r\x1b[K${this.#title}${bar || ` ${done}`}`);
  }

  end(): void {
    if (this.#enabled) process.stderr.write('\r\x1b[K');
  }
}
