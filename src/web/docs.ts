/** Swagger UI's bundle is a classic script and leaves this behind. */
declare const SwaggerUIBundle: (options: Readonly<Record<string, unknown>>) => unknown;

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  persistAuthorization: true,
  // The validator is a third party.
  validatorUrl: null,
});

export {};
