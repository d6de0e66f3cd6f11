/** Tells a person what a command is doing. */
export interface Steps {
  /**
   * Runs one step, and tells of it.
   *
   * @param detail what came of it, in a few words.
   */
  run<T>(title: string, work: () => Promise<T>, detail?: (result: T) => string): Promise<T>;
}

/** Runs steps without a word. */
export const silentSteps: Steps = { run: async (_title, work) => await work() };

/** One line a step: its title at once, and its result and seconds when it is done. */
export function createSteps(stream: NodeJS.WritableStream): Steps {
  return {
    async run(title, work, detail) {
      const startedAt = performance.now();
      stream.write(`  ${title} ... `);
      try {
        const result = await work();
        const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
        stream.write(`${detail ? `${detail(result)}, ` : ''}${seconds} s\n`);
        return result;
      } catch (error) {
        stream.write('failed\n');
        throw error;
      }
    },
  };
}
