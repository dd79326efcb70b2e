/**
 * A function of a page that tries to read and to change what `target` has, by all means that pages have. Resolves with the
 * texts that it could read. Each attempt is given up after a while: not every element says that it was refused.
 */
const attack = `async ({ target, runId }) => {
  const read = [];
  const paths = ['/config', '/runs', '/metrics', '/audit', '/requests/export', '/whoami', '/livez'];
  const changes = [
    '/config/reload?force=true', '/runs/' + runId + '/cancel', '/runs/' + runId + '/replay', '/limits/reset?limit=daily',
  ];
  const within = (work) => Promise.race([work, new Promise((done) => setTimeout(done, 1500))]);
  const reading = async (url, init) => {
    try {
      read.push(await (await fetch(url, init)).text());
    } catch {
      // What a page should get.
    }
  };
  const loading = (tag, url) =>
    new Promise((done) => {
      const element = document.createElement(tag);
      if (tag === 'link') Object.assign(element, { rel: 'stylesheet', href: url });
      else element[tag === 'object' ? 'data' : 'src'] = url;
      element.onerror = () => done();
      element.onload = () => {
        try {
          if (tag === 'iframe') read.push(element.contentDocument?.body.textContent ?? '');
        } catch {
          // Of another origin.
        }
        done();
      };
      document.body.append(element);
    });
  const submitting = (url, enctype) =>
    new Promise((done) => {
      const frame = document.createElement('iframe');
      frame.name = 'frame ' + Math.random();
      document.body.append(frame);
      const form = Object.assign(document.createElement('form'), { action: url, method: 'post', enctype });
      form.target = frame.name;
      form.append(Object.assign(document.createElement('input'), { name: '{"a":"', value: '"}' }));
      document.body.append(form);
      frame.onload = () => done();
      form.submit();
    });
  const connecting = (url) =>
    new Promise((done) => {
      const socket = new WebSocket(url.replace('http', 'ws'));
      socket.onopen = () => {
        read.push('a socket at ' + url);
        done();
      };
      socket.onerror = () => done();
    });
  const reads = paths.map((path) => target + path).flatMap((url) => [
    reading(url),
    reading(url, { mode: 'no-cors' }),
    reading(url, { credentials: 'include', headers: { authorization: 'Bearer x' } }),
    ...['img', 'script', 'iframe', 'link', 'object'].map((tag) => loading(tag, url)),
    connecting(url),
  ]);
  await Promise.all(reads.map(within));
  const writes = changes.map((path) => target + path).flatMap((url) => [
    reading(url, { method: 'POST' }),
    reading(url, { method: 'POST', mode: 'no-cors' }),
    ...['text/plain', 'application/x-www-form-urlencoded', 'application/json'].flatMap((type) => {
      const init = { method: 'POST', body: '{}', headers: { 'content-type': type } };
      navigator.sendBeacon(url, new Blob(['{}'], { type }));
      return [reading(url, init), reading(url, { ...init, mode: 'no-cors' })];
    }),
    ...['application/x-www-form-urlencoded', 'multipart/form-data', 'text/plain'].map((type) => submitting(url, type)),
    connecting(url),
  ]);
  await Promise.all(writes.map(within));
  return read;
}`;

/** The script of the attack on a listener, and on a run there. */
export function attackOn(target: string, runId: string): string {
  return `(${attack})(${JSON.stringify({ target, runId })})`;
}
