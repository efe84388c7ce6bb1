import assert from 'node:assert/strict';
import test from 'node:test';

import { serveBridge } from '../bridge.js';

const ABOUT = { name: 'test', version: '1', platform: 'test', integration: 'integrated', callStyle: 'promise' };

// An agent on a channel that keeps what was sent.
function connect(ft) {
  const sent = [];
  const channel = { send: (text) => sent.push(JSON.parse(text)) };
  const agent = serveBridge({ ft, about: ABOUT, channel });
  let id = 0;
  const ask = async (method, params) => {
    id += 1;
    const asked = id;
    channel.onmessage(JSON.stringify({ jsonrpc: '2.0', id: asked, method, params }));
    for (;;) {
      const answer = sent.find((message) => message.id === asked);
      if (answer) return answer;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const call = (method, ...args) => ask(method, { args });
  return { agent, ask, call, channel, sent };
}

function connection() {
  const listeners = new Map();
  return {
    closed: 0,
    createOffer: async () => ({ type: 'offer', sdp: 'v=0' }),
    addTrack: async (track) => void track,
    addEventListener(type, listener) {
      if (type === 'refused') throw new TypeError('no such event');
      listeners.set(type, listener);
    },
    removeEventListener: (type) => listeners.delete(type),
    close() {
      this.closed += 1;
    },
    fire: (type, event) => listeners.has(type) && listeners.get(type)(event),
  };
}

test('hello says the protocol and what the target is', async () => {
  const { ask } = connect({});
  assert.deepEqual((await ask('bridge.hello', {})).result, { protocol: 1, ...ABOUT });
  assert.deepEqual((await ask('bridge.ping', {})).result, {});
});

test('the channel of a settlement is the one it came by', async () => {
  const { call } = connect({
    returns: () => 1,
    resolves: async () => 2,
    throws() {
      throw new RangeError('no');
    },
    rejects: () => Promise.reject(Object.assign(new TypeError('never'), { code: 7 })),
    rejectsPlain: () => Promise.reject({ errMsg: 'x:fail' }),
    nothing: async () => undefined,
    rejectsNothing: () => Promise.reject(),
  });
  const result = async (name) => (await call(`ft.${name}`)).result;
  const error = async (name) => (await call(`ft.${name}`)).error;
  assert.deepEqual(await result('returns'), { via: 'return', value: 1 });
  assert.deepEqual(await result('resolves'), { via: 'resolve', value: 2 });
  assert.deepEqual(await result('nothing'), { via: 'resolve' });
  const thrown = { via: 'throw', value: { name: 'RangeError', message: 'no' } };
  assert.deepEqual(await error('throws'), { code: -32000, message: 'RangeError: no', data: thrown });
  assert.deepEqual((await error('rejects')).data, {
    via: 'reject',
    value: { name: 'TypeError', message: 'never', code: 7 },
  });
  assert.deepEqual((await error('rejectsPlain')).data, { via: 'reject', value: { errMsg: 'x:fail' } });
  assert.deepEqual((await error('rejectsNothing')).data, { via: 'reject' });
});

test('what settles again is told by a callback', async () => {
  const twice = {
    then(resolve, reject) {
      resolve(1);
      reject(2);
    },
  };
  const { call, sent } = connect({ twice: () => twice });
  assert.deepEqual((await call('ft.twice')).result, { via: 'resolve', value: 1 });
  const told = { jsonrpc: '2.0', method: 'bridge.callback', params: { id: 1, kind: 'fail', seq: 1, value: 2 } };
  assert.deepEqual(sent[1], told);
});

test('values that JSON lacks travel as markers, both ways', async () => {
  const seen = [];
  const value = {
    a: undefined,
    b: [NaN, -Infinity, 1],
    c: new Uint8Array([0, 250, 255, 7]),
    d() {},
    e: Promise.resolve(),
    $f: { $$g: 1 },
    h: null,
  };
  const marked = {
    a: { $undefined: true },
    b: [{ $number: 'NaN' }, { $number: '-Infinity' }, 1],
    c: { $bytes: 'APr/Bw==' },
    d: { $function: 'd' },
    e: { $promise: true },
    $$f: { $$$g: 1 },
    h: null,
  };
  const { call } = connect({ give: () => value, take: (...args) => void seen.push(args) });
  assert.deepEqual((await call('ft.give')).result.value, marked);
  await call('ft.take', marked, { $undefined: true });
  const [[taken, last]] = seen;
  assert.equal(last, undefined);
  assert.ok('a' in taken && taken.a === undefined);
  assert.deepEqual([taken.b, taken.c, taken.$f, taken.h], [value.b, value.c, value.$f, null]);
  assert.equal(taken.d.name, 'd');
  assert.equal(typeof taken.e.then, 'function');
});

test('a key named __proto__ is a key', async () => {
  const seen = [];
  const { channel } = connect({ take: (value) => void seen.push(value) });
  channel.onmessage('{"jsonrpc":"2.0","id":1,"method":"ft.take","params":{"args":[{"__proto__":{"x":1}}]}}');
  assert.deepEqual(Object.keys(seen[0]), ['__proto__']);
  assert.equal(seen[0].x, undefined);
});

test('Base64 of every length', async () => {
  const seen = [];
  for (let length = 0; length < 7; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, at) => 255 - 37 * at);
    const { call } = connect({ give: () => bytes, take: (value) => void seen.push(value) });
    const { $bytes } = (await call('ft.give')).result.value;
    assert.equal($bytes, Buffer.from(bytes).toString('base64'));
    await call('ft.take', { $bytes });
    assert.deepEqual(seen.pop(), bytes);
  }
});

test('what cannot travel is said, and the bridge goes on', async () => {
  const round = {};
  round.round = round;
  const { call, ask } = connect({ give: () => round, take() {} });
  assert.equal((await call('ft.give')).error.code, -32603);
  for (const bad of [{ $number: '1' }, { $bytes: '?' }, { $other: 1 }, { $handle: 'pc-1' }]) {
    assert.equal((await call('ft.take', bad)).error.code, -32602, JSON.stringify(bad));
  }
  assert.equal((await ask('ft.take', {})).error.code, -32602);
  assert.deepEqual((await ask('bridge.ping')).result, {});
});

test('objects travel as handles, each under one name', async () => {
  const pc = connection();
  const track = { id: 't', kind: 'audio', stop() {} };
  const given = [];
  pc.addTrack = async (...args) => void given.push(args);
  const { call, ask } = connect({
    webrtc: { createRTCPeerConnection: async () => pc, tracks: async () => [track, track] },
  });
  const { value } = (await call('ft.webrtc.createRTCPeerConnection')).result;
  assert.deepEqual([value.$handle, value.$class], ['pc-1', 'RTCPeerConnection']);
  assert.deepEqual(value.own, Object.keys(pc));
  assert.deepEqual(value.props, { closed: 0 });
  const tracks = (await call('ft.webrtc.tracks')).result.value;
  const handle = { $handle: 'track-1', $class: 'MediaStreamTrack', own: ['id', 'kind', 'stop'] };
  assert.deepEqual(tracks[0], { ...handle, props: { id: 't', kind: 'audio' } });
  assert.equal(tracks[1].$handle, 'track-1');
  await ask('RTCPeerConnection.addTrack', { self: 'pc-1', args: [{ $handle: 'track-1' }] });
  assert.equal(given[0][0], track);
  const offer = await ask('RTCPeerConnection.createOffer', { self: 'pc-1', args: [] });
  assert.deepEqual(offer.result, { via: 'resolve', value: { type: 'offer', sdp: 'v=0' } });
});

test('methods and objects that do not exist are refused', async () => {
  const { call, ask } = connect({ make: () => connection(), webrtc: {} });
  await call('ft.make');
  const code = async (method, params) => (await ask(method, params)).error.code;
  for (const method of ['ft.nope', 'ft.constructor', 'ft.webrtc.toString', 'ft.make.call', 'bridge.putFile', 'x', '']) {
    assert.equal(await code(method, { args: [] }), -32601, method);
  }
  assert.equal(await code('RTCPeerConnection.fire', { self: 'pc-1', args: [] }), -32601);
  // Documented, and this object lacks it.
  assert.equal(await code('RTCPeerConnection.createAnswer', { self: 'pc-1', args: [] }), -32601);
  assert.equal(await code('RTCPeerConnection.close', { self: 'pc-2', args: [] }), -32602);
  assert.equal(await code('RTCPeerConnection.close', { args: [] }), -32602);
  assert.equal(await code('MediaStream.getTracks', { self: 'pc-1', args: [] }), -32602);
  assert.equal(await code('bridge.get', { self: 'pc-2', name: 'x' }), -32602);
});

test('what is no request is refused without an id', () => {
  const { channel, sent } = connect({});
  ['{', '[]', '1', '{"jsonrpc":"2.0","id":1}', '{"jsonrpc":"2.0","id":1,"method":"x","params":[]}'].forEach((text) =>
    channel.onmessage(text),
  );
  assert.deepEqual(
    sent.map(({ id, error }) => [id, error.code]),
    [[null, -32700], ...Array(4).fill([null, -32600])],
  );
});

test('properties are read at the moment', async () => {
  class Description {
    get type() {
      return 'offer';
    }
    get sdp() {
      return 'v=0';
    }
  }
  const pc = connection();
  const { call, ask } = connect({ make: () => pc });
  await call('ft.make');
  const get = async (name) => (await ask('bridge.get', { self: 'pc-1', name })).result;
  assert.deepEqual(await get('missing'), { value: { $undefined: true } });
  Object.assign(pc, { state: 'new', promise: Promise.resolve(), none: null, description: new Description() });
  assert.deepEqual(await get('state'), { value: 'new' });
  assert.deepEqual(await get('promise'), { value: { $promise: true } });
  assert.deepEqual(await get('none'), { value: null });
  assert.deepEqual(await get('description'), { value: { type: 'offer', sdp: 'v=0' } });
});

test('events come with their own keys, until unlisten', async () => {
  const pc = connection();
  const { call, ask, sent } = connect({ make: () => pc });
  await call('ft.make');
  const listen = (type) => ask('bridge.listen', { self: 'pc-1', type });
  assert.deepEqual((await listen('track')).result, {});
  assert.deepEqual((await listen('track')).result, {});
  pc.fire('track', { streams: [{ streamId: 's', getTracks() {} }] });
  const event = { streams: [{ streamId: 's', getTracks: { $function: 'getTracks' } }] };
  const told = { jsonrpc: '2.0', method: 'bridge.event', params: { self: 'pc-1', type: 'track', event } };
  assert.deepEqual(sent[sent.length - 1], told);
  await ask('bridge.unlisten', { self: 'pc-1', type: 'track' });
  const before = sent.length;
  pc.fire('track', {});
  assert.equal(sent.length, before);
  assert.equal((await listen('refused')).error.data.via, 'throw');
});

test('an event before the promise is sent before the answer', async () => {
  const pc = connection();
  pc.createOffer = async () => void pc.fire('negotiationneeded', {});
  const { call, ask, sent } = connect({ make: () => pc });
  await call('ft.make');
  await ask('bridge.listen', { self: 'pc-1', type: 'negotiationneeded' });
  await ask('RTCPeerConnection.createOffer', { self: 'pc-1', args: [] });
  assert.deepEqual(
    sent.slice(-2).map((message) => message.method || 'answer'),
    ['bridge.event', 'answer'],
  );
});

test('a reset closes, stops and forgets', async () => {
  const pc = connection();
  const stopped = [];
  const track = (id) => ({ id, kind: 'audio', stop: () => void stopped.push(id) });
  const stream = { streamId: 's', getTracks: async () => [track('of the stream')] };
  let deliver;
  const late = connection();
  const { call, ask, channel, sent } = connect({
    pc: () => pc,
    stream: () => stream,
    track: () => track('alone'),
    hangs: () => ({ createOffer() {}, close: () => new Promise(() => {}) }),
    late: () => new Promise((resolve) => (deliver = () => resolve(late))),
  });
  for (const name of ['pc', 'stream', 'track', 'hangs']) await call(`ft.${name}`);
  await ask('bridge.listen', { self: 'pc-1', type: 'track' });
  channel.onmessage('{"jsonrpc":"2.0","id":99,"method":"ft.late","params":{"args":[]}}');
  assert.deepEqual((await ask('bridge.reset')).result, {});
  assert.equal(pc.closed, 1);
  assert.deepEqual(stopped.sort(), ['alone', 'of the stream']);
  assert.equal((await ask('bridge.get', { self: 'pc-1', name: 'x' })).error.code, -32602);
  const before = sent.length;
  pc.fire('track', {});
  assert.equal(sent.length, before);
  // What a call hands over after the reset is closed at once, and takes nobody's name.
  deliver();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(late.closed, 1);
  assert.equal((await call('ft.pc')).result.value.$handle, 'pc-1');
  assert.equal((await ask('bridge.get', { self: 'pc-1', name: 'closed' })).result.value, 1);
});
