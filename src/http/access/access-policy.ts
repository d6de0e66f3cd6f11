import { CodedError } from '../../errors.ts';
import { type ApiKey, anonymousId, matchApiKey, type Principal, type Scope } from './api-keys.ts';
import { createUploadToken, uploadTokenPrefix, verifyUploadToken } from './upload-token.ts';

export interface AccessSettings {
  readonly apiKeys: readonly ApiKey[];
  /** What a request without a credential may do. Empty unless the deployment says otherwise. */
  readonly publicScopes: readonly Scope[];
  /** Signs upload tokens; without it there are none. */
  readonly uploadTokenSecret?: string | undefined;
}

/** Decides who may do what. Refuses everyone until the deployment configures keys or public scopes. */
export class AccessPolicy {
  readonly #settings: AccessSettings;

  constructor(settings: AccessSettings) {
    this.#settings = settings;
  }

  /** @throws {CodedError} `access_not_configured`. */
  assertConfigured(): void {
    const { apiKeys, publicScopes } = this.#settings;
    if (apiKeys.length > 0 || publicScopes.length > 0) return;
    throw new CodedError(
      'access_not_configured',
      'This deployment has neither API keys (secret API_KEYS) nor an explicit PUBLIC_SCOPES, so it serves nobody. See docs/api.md, "Access".',
    );
  }

  /**
   * @param credential an API key or an upload token; undefined if the request has none.
   * @param origin the request's Origin header.
   * @throws {CodedError} `access_not_configured`, `credential_invalid`.
   */
  async authenticate(credential: string | undefined, origin: string | undefined): Promise<Principal> {
    this.assertConfigured();
    const { apiKeys, publicScopes, uploadTokenSecret } = this.#settings;
    const anyone = { id: anonymousId, kind: 'public', scopes: publicScopes } as const;
    if (credential === undefined) return anyone;
    if (uploadTokenSecret !== undefined && credential.startsWith(uploadTokenPrefix))
      return await verifyUploadToken(uploadTokenSecret, credential, origin);
    // The official SDKs of other services always send a token. Without any keys, such a token can only be meaningless.
    if (apiKeys.length === 0) return anyone;
    // If keys exist, a wrong credential is refused even if none is needed, because its sender expects it to count.
    const principal = await matchApiKey(apiKeys, credential, Date.now());
    if (principal) return principal;
    throw new CodedError('credential_invalid', 'The API key is not known here, or has expired.');
  }

  /** @throws {CodedError} `credential_missing`, `scope_missing`. */
  assertScope(principal: Principal, scope: Scope): void {
    if (principal.scopes.includes(scope)) return;
    if (principal.kind === 'public') {
      throw new CodedError(
        'credential_missing',
        'Send an API key: "Authorization: Bearer KEY" or "X-API-Key: KEY".',
      );
    }
    throw new CodedError('scope_missing', `This needs the scope "${scope}", which "${principal.id}" lacks.`);
  }

  /** @throws {CodedError} `upload_tokens_not_configured`; `scope_missing` for a caller who holds only a token. */
  async issueUploadToken(principal: Principal, expiresInSeconds: number, origin: string | undefined) {
    const { uploadTokenSecret } = this.#settings;
    if (uploadTokenSecret === undefined) {
      throw new CodedError('upload_tokens_not_configured', 'The secret UPLOAD_TOKEN_SECRET is not set.');
    }
    if (principal.kind === 'token')
      throw new CodedError('scope_missing', 'An upload token cannot make another one.');
    return await createUploadToken(
      uploadTokenSecret,
      { keyId: principal.id, expiresInSeconds, origin },
      Date.now(),
    );
  }
}
