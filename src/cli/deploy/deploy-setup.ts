export const deploySetup = undefined as never;
