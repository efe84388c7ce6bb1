// Values on the bridge: what JSON lacks travels as a marker, objects that live here travel as handles.
//
// Plain JavaScript without a build step or a dependency, for mini programs, browsers and Node.

// The classes whose objects travel as handles: the beginning of a handle's name, the documented methods, and how an
// object is known.
export const CLASSES = {
  RTCPeerConnection: {
    prefix: 'pc',
    methods: [
      'createOffer',
      'createAnswer',
      'setLocalDescription',
      'setRemoteDescription',
      'addIceCandidate',
      'getConfiguration',
      'addTrack',
      'close',
    ],
    is: (value) => isFunction(value.createOffer),
  },
  MediaStream: { prefix: 'stream', methods: ['getTracks'], is: (value) => isFunction(value.getTracks) },
  MediaStreamTrack: {
    prefix: 'track',
    methods: ['stop'],
    is: (value) => isFunction(value.stop) && typeof value.kind === 'string',
  },
};

// What cannot be said on the bridge: wrong parameters of fincert's, or a value of the API's without end.
export class BadValue extends Error {}

// fincert reads no deeper than 64 levels, those of the message included.
const MAX_DEPTH = 56;

// A value as JSON. `handleFor(object, className)` names an object of one of the classes; without it, as in events,
// such an object is plain, too.
export function encode(value, handleFor, depth = 0) {
  if (depth > MAX_DEPTH) throw new BadValue(`a value is nested deeper than ${MAX_DEPTH} levels`);
  const inner = (each) => encode(each, handleFor, depth + 1);
  switch (typeof value) {
    case 'undefined':
      return { $undefined: true };
    case 'number':
      return Number.isFinite(value) ? value : { $number: String(value) };
    case 'string':
    case 'boolean':
      return value;
    case 'function':
      return isThenable(value) ? { $promise: true } : { $function: value.name };
    case 'bigint':
    case 'symbol':
      return String(value);
  }
  if (value === null) return null;
  if (isThenable(value)) return { $promise: true };
  if (Array.isArray(value)) return value.map(inner);
  const bytes = bytesOf(value);
  if (bytes) return { $bytes: toBase64(bytes) };
  if (isError(value)) {
    return {
      name: String(value.name),
      message: String(value.message),
      ...members(value, (each) => encode(each, undefined, depth + 1)),
    };
  }
  const found = handleFor && classOf(value);
  return found ? handle(value, found, handleFor(value, found)) : members(value, inner);
}

function handle(object, className, name) {
  const props = {};
  Object.keys(object).forEach((key) => {
    let value;
    try {
      value = object[key];
    } catch (error) {
      // A getter that throws has no value to show; it shows by `bridge.get`.
      return;
    }
    if (!isFunction(value)) set(props, escaped(key), encode(value, undefined, 4));
  });
  return { $handle: name, $class: className, own: Object.keys(object), props };
}

function members(object, encodeValue) {
  const result = {};
  Object.keys(object).forEach((key) => set(result, escaped(key), encodeValue(object[key])));
  return result;
}

// An argument from fincert; `objectOf(name)` finds the object of a handle.
export function decode(value, objectOf) {
  const inner = (each) => decode(each, objectOf);
  if (Array.isArray(value)) return value.map(inner);
  if (typeof value !== 'object' || value === null) return value;
  const keys = Object.keys(value);
  const marker = keys.filter((key) => key[0] === '$' && key[1] !== '$')[0];
  if (marker) return unmark(marker, value[marker], objectOf);
  const result = {};
  keys.forEach((key) => set(result, key[0] === '$' ? key.slice(1) : key, inner(value[key])));
  return result;
}

const NUMBERS = { NaN, Infinity, '-Infinity': -Infinity };

function unmark(marker, content, objectOf) {
  switch (marker) {
    case '$undefined':
      return undefined;
    case '$number':
      if (!has(NUMBERS, content)) throw new BadValue(`$number: ${content} is not NaN, Infinity or -Infinity`);
      return NUMBERS[content];
    case '$bytes':
      return fromBase64(content);
    case '$function':
      return named(content);
    case '$promise':
      return Promise.resolve();
    case '$handle':
      return objectOf(content);
    default:
      throw new BadValue(`${marker} is no marker of the bridge; a key of one's own that begins with $ is doubled`);
  }
}

function named(name) {
  const nothing = () => undefined;
  Object.defineProperty(nothing, 'name', { value: String(name) });
  return nothing;
}

export function classOf(value) {
  return Object.keys(CLASSES).filter((name) => CLASSES[name].is(value))[0];
}

export function isThenable(value) {
  return ((typeof value === 'object' && value !== null) || typeof value === 'function') && isFunction(value.then);
}

export function isFunction(value) {
  return typeof value === 'function';
}

export function has(object, name) {
  return Object.prototype.hasOwnProperty.call(object, name);
}

// Errors of another realm are no instances of this one's Error, and a browser's DOMException is of a kind of its own.
function isError(value) {
  return value instanceof Error || /^\[object (Error|DOMException)\]$/.test(Object.prototype.toString.call(value));
}

function escaped(key) {
  return key[0] === '$' ? `$${key}` : key;
}

// Assigning would take `__proto__` for more than a name.
function set(object, key, value) {
  Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}

function bytesOf(value) {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return ArrayBuffer.isView(value) ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength) : undefined;
}

// Mini programs have neither atob nor Buffer.
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

function toBase64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const three = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0);
    const digits = [18, 12, 6, 0].map((shift) => ALPHABET[(three >> shift) & 63]);
    const given = Math.min(bytes.length - at, 3);
    text += digits.slice(0, given + 1).join('') + '='.repeat(3 - given);
  }
  return text;
}

function fromBase64(text) {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) {
    throw new BadValue('$bytes: not Base64 of the standard alphabet, padded');
  }
  const digits = text.replace(/=+$/, '');
  const bytes = new Uint8Array(Math.floor((digits.length * 3) / 4));
  for (let at = 0, held = 0, bits = 0, out = 0; at < digits.length; at += 1) {
    held = ((held << 6) | ALPHABET.indexOf(digits[at])) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes[out] = (held >> bits) & 0xff;
      out += 1;
    }
  }
  return bytes;
}
