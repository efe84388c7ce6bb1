// The agent: serves fincert's bridge (JSON-RPC 2.0, protocol 1) for an object like `ft`, over any channel of text
// messages.
//
// Plain JavaScript without a build step or a dependency, for mini programs, browsers and Node.

import { BadValue, CLASSES, classOf, decode, encode, has, isFunction, isThenable } from './values.js';

const PROTOCOL = 1;
const PARSE_ERROR = -32700;
const INVALID_REQUEST = -32600;
const METHOD_NOT_FOUND = -32601;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;
const API_FAILED = -32000;

// How long a reset waits for closing and stopping that take their time.
const RESET_PATIENCE_MS = 2000;

// Serves the bridge.
//
// - `ft`: the object under test.
// - `about`: what `bridge.hello` says beside the protocol: name, version, platform, integration, callStyle,
//   capabilities, parallel.
// - `channel`: `{send(text)}`; its `onmessage(text)` is set here.
// - `watch`: `{call(method), error(text)}`, both optional, for whoever shows what goes on.
//
// `close()` of the result ends it: connections are closed, tracks stopped.
export function serveBridge({ ft, about, channel, watch = {} }) {
  let objects = objectTable();
  const post = (message) => channel.send(JSON.stringify({ jsonrpc: '2.0', ...message }));
  const notify = (method, params) => post({ method, params });
  const complain = (text) => watch.error && watch.error(text);
  const refuse = (id, code, message) => {
    complain(message);
    post({ id, error: { code, message } });
  };

  const bridgeMethods = {
    'bridge.hello': () => ({ protocol: PROTOCOL, ...about }),
    'bridge.ping': () => ({}),
    'bridge.reset': () => {
      const old = objects;
      objects = objectTable();
      return old.end().then(() => ({}));
    },
    'bridge.get': ({ self, name }) => ({ value: readProperty(objects.entry(self).object, name) }),
    'bridge.listen': ({ self, type }) => {
      const { object, listeners } = objects.entry(self);
      if (listeners.has(type)) return {};
      const listener = (event) => {
        try {
          notify('bridge.event', { self, type, event: encode(event) });
        } catch (error) {
          complain(`an event of type ${type} cannot be sent: ${describe(error)}`);
        }
      };
      object.addEventListener(type, listener);
      listeners.set(type, listener);
      return {};
    },
    'bridge.unlisten': ({ self, type }) => {
      const { object, listeners } = objects.entry(self);
      if (!listeners.has(type)) return {};
      object.removeEventListener(type, listeners.get(type));
      listeners.delete(type);
      return {};
    },
  };

  // A method of the bridge itself. What the API throws on the way is a settlement, what fincert asked wrongly is not.
  const answerOwn = (id, method, params) => {
    const failed = (error) =>
      error instanceof BadValue ? refuse(id, INVALID_PARAMS, error.message) : fail(id, 'throw', error);
    try {
      const result = bridgeMethods[method](params);
      if (isThenable(result)) result.then((value) => post({ id, result: value }), failed);
      else post({ id, result });
    } catch (error) {
      failed(error);
    }
  };

  const fail = (id, via, error) => {
    const message = describe(error);
    complain(message);
    post({ id, error: { code: API_FAILED, message, data: settlement({ via }, error) } });
  };

  // Calls the API. A promise that settles once more is told by `bridge.callback`.
  const call = (id, target, name, args) => {
    const { nameFor } = objects;
    let settlements = 0;
    const settle = (via, value) => {
      const worked = via === 'resolve' || via === 'return';
      const seq = settlements;
      settlements += 1;
      try {
        if (seq > 0)
          notify('bridge.callback', settlement({ id, kind: worked ? 'success' : 'fail', seq }, value, nameFor));
        else if (worked) post({ id, result: settlement({ via }, value, nameFor) });
        else fail(id, via, value);
      } catch (error) {
        refuse(id, INTERNAL_ERROR, `what ${name} handed over cannot be sent: ${describe(error)}`);
      }
    };
    let returned;
    try {
      returned = target[name](...args);
      if (isThenable(returned)) {
        returned.then(
          (value) => settle('resolve', value),
          (error) => settle('reject', error),
        );
        return;
      }
    } catch (error) {
      settle('throw', error);
      return;
    }
    settle('return', returned);
  };

  const receive = (text) => {
    const request = parse(text);
    if (request === undefined) return refuse(null, PARSE_ERROR, 'not JSON');
    if (!isRequest(request)) return refuse(null, INVALID_REQUEST, 'not a request of JSON-RPC 2.0');
    const { id, method, params = {} } = request;
    // fincert sends no notifications.
    if (id === undefined) return undefined;
    if (has(bridgeMethods, method)) return answerOwn(id, method, params);
    const found = locate(ft, method);
    if (!found) return refuse(id, METHOD_NOT_FOUND, `no method ${method}`);
    if (watch.call) watch.call(method);
    try {
      if (!Array.isArray(params.args)) throw new BadValue('params.args: an array');
      const target = found.className ? objects.entry(params.self, found.className).object : found.target;
      if (!isFunction(target[found.name])) return refuse(id, METHOD_NOT_FOUND, `the object has no method ${method}`);
      const args = params.args.map((value) => decode(value, (name) => objects.entry(name).object));
      return call(id, target, found.name, args);
    } catch (error) {
      if (error instanceof BadValue) return refuse(id, INVALID_PARAMS, error.message);
      throw error;
    }
  };

  channel.onmessage = receive;
  return { close: () => objects.end() };
}

// Where a method is: of a class, or under `ft`. What every object and function inherits is no method of the API.
function locate(ft, method) {
  const path = method.split('.');
  const name = path.pop();
  if (path.length === 1 && has(CLASSES, path[0])) {
    return CLASSES[path[0]].methods.indexOf(name) < 0 ? undefined : { className: path[0], name };
  }
  if (path.shift() !== 'ft') return undefined;
  const step = (object, key) =>
    object === undefined || object === null || key in Object.prototype || key in Function.prototype
      ? undefined
      : object[key];
  const target = path.reduce(step, ft);
  return isFunction(step(target, name)) ? { target, name } : undefined;
}

function readProperty(object, name) {
  const value = object[name];
  // A description of the platform's own class has no keys of its own, and yet it is type and sdp to whoever reads it.
  const described = typeof value === 'object' && value !== null && typeof value.sdp === 'string' && value.type;
  return encode(described ? { type: value.type, sdp: value.sdp } : value);
}

// The objects that fincert knows by handle, from one reset to the next.
function objectTable() {
  const entries = new Map();
  const names = new Map();
  const counts = {};
  let ended = false;
  return {
    // An object has one name, however often it comes.
    nameFor(object, className) {
      if (!names.has(object)) {
        const { prefix } = CLASSES[className];
        counts[prefix] = (counts[prefix] || 0) + 1;
        names.set(object, `${prefix}-${counts[prefix]}`);
        entries.set(names.get(object), { object, className, listeners: new Map() });
        // It came of a call that was still under way at the reset.
        if (ended) release(object);
      }
      return names.get(object);
    },
    entry(name, className) {
      const entry = entries.get(name);
      if (!entry) throw new BadValue(`no object ${name}; bridge.reset drops all`);
      if (className && entry.className !== className) {
        throw new BadValue(`${name} is a ${entry.className}, not a ${className}`);
      }
      return entry;
    },
    // Closes and stops everything. What fails there has failed; the object is dropped all the same.
    end() {
      ended = true;
      const releases = Array.from(entries.values()).map(({ object, listeners }) => {
        listeners.forEach((listener, type) => attempt(() => object.removeEventListener(type, listener)));
        return release(object);
      });
      return within(RESET_PATIENCE_MS, Promise.all(releases));
    },
  };
}

function release(object) {
  switch (classOf(object)) {
    case 'RTCPeerConnection':
      return attempt(() => object.close());
    case 'MediaStream':
      return attempt(async () => (await object.getTracks()).forEach((track) => attempt(() => track.stop())));
    default:
      return attempt(() => object.stop());
  }
}

async function attempt(action) {
  try {
    await action();
  } catch (error) {
    // See `end`.
  }
}

function within(milliseconds, promise) {
  let timer;
  const late = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
  return Promise.race([promise, late]).then(() => clearTimeout(timer));
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return undefined;
  }
}

function isRequest(message) {
  const isObject = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);
  return (
    isObject(message) &&
    message.jsonrpc === '2.0' &&
    typeof message.method === 'string' &&
    (message.params === undefined || isObject(message.params))
  );
}

function describe(error) {
  const known = error && error.name && error.message !== undefined;
  return known ? `${error.name}: ${error.message}` : `failed with ${typeof error}`;
}

// Nothing handed over is no `value`.
function settlement(head, value, nameFor) {
  return value === undefined ? head : { ...head, value: encode(value, nameFor) };
}
