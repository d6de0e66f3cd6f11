/** The part of Node's resolver that workerd has too; @types/node would bring all of Node into the Worker. */
declare module 'node:dns/promises' {
  export function resolve4(hostname: string): Promise<string[]>;
  export function resolve6(hostname: string): Promise<string[]>;
}
