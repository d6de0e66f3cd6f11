import { Agent, request } from 'node:http';

/** One photo that a person posted beside an attack. */
export interface VictimAnswer {
  /** `ok`, the code of the problem, or why there was no answer. */
  readonly outcome: string;
  readonly milliseconds: number;
}

const everyMs = 500;
const patienceMs = 30_000;

/**
 * Posts a photo every half second, another one each time, and waits for all answers.
 *
 * @param headers of each request.
 * @param photo a JPEG; bytes behind its end make each one new.
 */
export async function postRegularly(
  origin: string,
  photo: Uint8Array,
  seconds: number,
  headers: Readonly<Record<string, string>> = {},
): Promise<VictimAnswer[]> {
  const agent = new Agent({ keepAlive: true });
  const answers: Promise<VictimAnswer>[] = [];
  const end = Date.now() + seconds * 1000;
  while (Date.now() < end) {
    const bytes = Buffer.concat([photo, Buffer.from(`${answers.length} ${Math.random()}`)]);
    answers.push(post(`${origin}/v1/classify?top_k=1`, bytes, agent, headers));
    await new Promise((resolve) => setTimeout(resolve, everyMs));
  }
  const done = await Promise.all(answers);
  agent.destroy();
  return done;
}

function post(
  url: string,
  bytes: Uint8Array,
  agent: Agent,
  given: Readonly<Record<string, string>>,
): Promise<VictimAnswer> {
  const begun = performance.now();
  return new Promise((resolve) => {
    const end = (outcome: string) => resolve({ outcome, milliseconds: performance.now() - begun });
    const headers = { ...given, 'content-type': 'image/jpeg', 'content-length': bytes.length };
    const sent = request(url, { method: 'POST', agent, headers, timeout: patienceMs }, async (response) => {
      let text = '';
      try {
        for await (const chunk of response) text += chunk;
        end(response.statusCode === 200 ? 'ok' : (JSON.parse(text).code ?? `status ${response.statusCode}`));
      } catch (error) {
        end(String(error));
      }
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer in ${patienceMs / 1000} s`)));
    sent.on('error', (error) => end(error.message));
    sent.end(bytes);
  });
}
