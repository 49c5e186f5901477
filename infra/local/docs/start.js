// Shows the API, signed in as whoever is chosen. The tokens are the stack's own and good for a day.
(async () => {
  const callers = await (await fetch('/docs/callers.json')).json();
  const choice = document.getElementById('who');
  for (const { name, token } of callers) choice.add(new Option(name, token));

  const ui = SwaggerUIBundle({
    url: '/docs/openapi.json',
    dom_id: '#api',
    deepLinking: true,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    validatorUrl: null,
    // The page is the stack's own, whatever address the document names.
    requestInterceptor: (request) => {
      const { pathname, search } = new URL(request.url, location.href);
      return { ...request, url: location.origin + pathname + search };
    },
    onComplete: () => {
      const signIn = () => {
        const scheme = Object.keys(ui.getState().toJS().spec.json.components.securitySchemes)[0];
        ui.preauthorizeApiKey(scheme, choice.value);
      };
      choice.addEventListener('change', signIn);
      signIn();
      document.body.dataset.ready = 'yes';
    },
  });
})();
