/** The person at the terminal typed something that cannot be done; nothing has been started. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
