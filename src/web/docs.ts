/** Swagger UI's bundle is a classic script and leaves this behind. */
declare const SwaggerUIBundle: (options: Readonly<Record<string, unknown>>) => unknown;

// Swagger UI is dark by a class; the page follows the system.
const dark = matchMedia('(prefers-color-scheme: dark)');
const followSystem = () => document.documentElement.classList.toggle('dark-mode', dark.matches);
dark.addEventListener('change', followSystem);
followSystem();

SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#reference',
  deepLinking: true,
  persistAuthorization: true,
  // The validator is a third party.
  validatorUrl: null,
});

export {};
