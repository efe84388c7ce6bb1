// What the shim adds of its own: names, wrappers, identity. How it does over a real platform is for fincert to say.

import assert from 'node:assert/strict';
import test from 'node:test';

import { createFt } from '../../../mocks/web/ft.js';

const track = (id, kind = 'audio') => ({ id, kind, readyState: 'live', stop() {} });

class MediaStream {
  constructor(tracks) {
    this.id = `stream of ${tracks.map(({ id }) => id)}`;
    this.getTracks = () => tracks;
  }
}

class RTCPeerConnection extends EventTarget {
  constructor(options) {
    super();
    if (options === 'wrong') throw new SyntaxError('wrong options');
    this.calls = [];
    this.connectionState = 'new';
    this.signalingState = 'stable';
    this.localDescription = null;
    RTCPeerConnection.last = this;
  }
  addTrack(...args) {
    this.calls.push(args);
    return { sender: true };
  }
  async addIceCandidate(...args) {
    this.calls.push(args);
    return 'something';
  }
  fire(type, fields) {
    this.dispatchEvent(Object.assign(new Event(type), fields));
  }
}

const mediaDevices = {
  enumerateDevices: async () => [Object.create({ deviceId: 'd', kind: 'audioinput', label: 'l', groupId: 'g' })],
  getSupportedConstraints: () => ({ width: true }),
  getUserMedia: async () => new MediaStream([track('a'), track('v', 'video')]),
};

const { webrtc } = createFt({ RTCPeerConnection, MediaStream, mediaDevices });

async function make() {
  const pc = await webrtc.createRTCPeerConnection();
  return { pc, native: RTCPeerConnection.last };
}

test('devices, constraints and streams are plain, and come by promise', async () => {
  assert.deepEqual(await webrtc.mediaDevices.enumerateDevices(), [
    { deviceId: 'd', kind: 'audioinput', label: 'l', groupId: 'g' },
  ]);
  assert.deepEqual(await webrtc.mediaDevices.getSupportedConstraints(), { width: true });
  const stream = await webrtc.mediaDevices.getUserMedia({ audio: true });
  assert.deepEqual(Object.keys(stream), ['streamId', 'getTracks']);
  const [first] = await stream.getTracks();
  assert.deepEqual(Object.keys(first), ['id', 'kind', 'readyState', 'stop']);
  assert.equal((await stream.getTracks())[0], first);
});

test('without media devices every call rejects', async () => {
  const bare = createFt({ RTCPeerConnection, MediaStream, mediaDevices: undefined }).webrtc.mediaDevices;
  for (const call of [bare.enumerateDevices, bare.getSupportedConstraints, bare.getUserMedia]) {
    await assert.rejects(call({ audio: true }), /secure context/);
  }
});

test('a constructor that throws is a promise that rejects', async () => {
  await assert.rejects(webrtc.createRTCPeerConnection('wrong'), SyntaxError);
});

test('properties are live and bear the documented names', async () => {
  const { pc, native } = await make();
  assert.equal(pc.conectionState, 'new');
  native.connectionState = 'connected';
  assert.equal(pc.conectionState, 'connected');
  assert.equal(pc.localDescription, null);
  native.localDescription = Object.create({ type: 'offer', sdp: 'v=0' });
  assert.deepEqual(pc.localDescription, { type: 'offer', sdp: 'v=0' });
  assert.equal(pc.peerIdentity, undefined);
});

test('a track travels with its stream; other values are refused', async () => {
  const { pc, native } = await make();
  const stream = await webrtc.mediaDevices.getUserMedia({ audio: true });
  const [first] = await stream.getTracks();
  assert.equal(await pc.addTrack(first), undefined);
  const [[given, home]] = native.calls;
  assert.deepEqual([given.id, home.id], ['a', stream.streamId]);
  for (const wrong of [undefined, null, {}, 'a', track('a')]) {
    await assert.rejects(pc.addTrack(wrong), TypeError);
  }
});

test('candidates go on as they came', async () => {
  const { pc, native } = await make();
  const given = [{}, null, '', { candidate: '' }, { candidate: 'x', sdpMid: '0', other: 1 }];
  for (const each of given) assert.equal(await pc.addIceCandidate(each), undefined);
  assert.deepEqual(
    native.calls,
    given.map((each) => [each]),
  );
});

test('events carry what is documented and no more', async () => {
  const { pc, native } = await make();
  const seen = [];
  const listener = (event) => seen.push(event);
  const types = ['icecandidate', 'iceconnectionstatechange', 'negotiationneeded', 'signalingstatechange', 'track'];
  types.forEach((type) => pc.addEventListener(type, listener));
  pc.addEventListener('track', listener);
  pc.addEventListener('connectionstatechange', listener);
  const candidate = { candidate: 'c', sdpMid: '0', sdpMLineIndex: 0, address: 'a', type: 'host' };
  native.fire('icecandidate', { candidate: Object.create({ ...candidate, port: 1 }) });
  native.fire('icecandidate', { candidate: null });
  native.iceConnectionState = 'checking';
  native.fire('iceconnectionstatechange');
  native.fire('negotiationneeded');
  native.fire('signalingstatechange');
  native.fire('connectionstatechange');
  assert.deepEqual(seen.slice(0, 2), [{ candidate }, { candidate: null }]);
  assert.deepEqual([seen[2].iceConnectionState, typeof seen[2].timeStamp], ['checking', 'number']);
  assert.deepEqual(seen.slice(3), [{}, { signalingState: 'stable' }]);
  seen.length = 0;
  const remote = track('r');
  native.fire('track', { track: remote, streams: [new MediaStream([remote])] });
  assert.deepEqual(Object.keys(seen[0]), ['streams']);
  assert.equal(seen[0].streams[0].streamId, 'stream of r');
  await pc.addTrack((await seen[0].streams[0].getTracks())[0]);
  assert.equal(native.calls[0][0], remote);
  types.forEach((type) => pc.removeEventListener(type, listener));
  native.fire('track', { track: remote, streams: [] });
  assert.equal(seen.length, 1);
});

test('a track without a stream gets one, the same for every listener', async () => {
  const { pc, native } = await make();
  const ids = [];
  [1, 2].forEach(() => pc.addEventListener('track', ({ streams }) => ids.push(streams[0])));
  native.fire('track', { track: track('lone'), streams: [] });
  assert.equal(ids[0].streamId, 'stream of lone');
  assert.equal(ids[0], ids[1]);
});
