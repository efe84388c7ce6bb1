// The Node target with its real package: `npm ci --prefix harness/agent/node` first.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';

import { createDevices } from '../devices.mjs';

const wrtc = createRequire(import.meta.url)('@roamhq/wrtc');
const { RTCPeerConnection, nonstandard } = wrtc;
const devices = createDevices(wrtc);
const repository = fileURLToPath(new URL('../../../..', import.meta.url));

// libwebrtc's threads keep a process alive.
after(() => setImmediate(() => process.exit()));

test('the camera moves, the microphone sounds, until they are stopped', async () => {
  const stream = await devices.getUserMedia({ audio: true, video: true });
  const [audio] = stream.getAudioTracks();
  const [video] = stream.getVideoTracks();
  const pictures = new nonstandard.RTCVideoSink(video);
  const sounds = new nonstandard.RTCAudioSink(audio);
  const seen = [];
  const heard = [];
  await new Promise((resolve) => {
    const done = () => seen.length > 5 && heard.length > 50 && resolve();
    pictures.onframe = ({ frame }) => done(seen.push(Buffer.from(frame.data).toString('latin1')));
    sounds.ondata = ({ samples }) => done(heard.push(Math.max(...samples)));
  });
  assert.equal(new Set(seen).size, seen.length);
  assert.ok(heard.every((loudest) => loudest > 4_000));
  stream.getTracks().forEach((track) => track.stop());
  await new Promise((resolve) => setTimeout(resolve, 200));
  const before = [seen.length, heard.length];
  await new Promise((resolve) => setTimeout(resolve, 200));
  assert.deepEqual([seen.length, heard.length], before);
  pictures.stop();
  sounds.stop();
});

test('they reach the other end of a connection', async () => {
  const stream = await devices.getUserMedia({ audio: true, video: true });
  const ends = [new RTCPeerConnection(), new RTCPeerConnection()];
  const [here, there] = ends;
  ends.forEach((end, at) =>
    end.addEventListener('icecandidate', ({ candidate }) => candidate && ends[1 - at].addIceCandidate(candidate)),
  );
  const sinks = [];
  const received = new Promise((resolve) => {
    const kinds = new Set();
    there.addEventListener('track', ({ track }) => {
      const came = () => kinds.add(track.kind).size === 2 && resolve();
      const isVideo = track.kind === 'video';
      const sink = isVideo ? new nonstandard.RTCVideoSink(track) : new nonstandard.RTCAudioSink(track);
      if (isVideo) sink.onframe = came;
      else sink.ondata = ({ samples }) => Math.max(...samples) > 1_000 && came();
      sinks.push(sink);
    });
  });
  stream.getTracks().forEach((track) => here.addTrack(track, stream));
  await here.setLocalDescription(await here.createOffer());
  await there.setRemoteDescription(here.localDescription);
  await there.setLocalDescription(await there.createAnswer());
  await here.setRemoteDescription(there.localDescription);
  await received;
  sinks.forEach((sink) => sink.stop());
  stream.getTracks().forEach((track) => track.stop());
  ends.forEach((end) => end.close());
});

test('with neither kind asked for there is no stream', async () => {
  for (const constraints of [undefined, {}, { audio: false }]) {
    await assert.rejects(devices.getUserMedia(constraints), TypeError);
  }
});

test('the program speaks the bridge and ends with its input', async () => {
  const program = fileURLToPath(new URL('../node.mjs', import.meta.url));
  const child = spawn(process.execPath, [program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (id, method, params) => {
    child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    return JSON.parse((await answers.next()).value);
  };
  const { result } = await ask(1, 'bridge.hello', {});
  assert.deepEqual([result.platform, result.version, result.parallel], ['node', '0.10.0', 4]);
  const created = await ask(2, 'ft.webrtc.createRTCPeerConnection', { args: [{}] });
  assert.equal(created.result.value.$handle, 'pc-1');
  child.stdin.end();
  assert.deepEqual(await once(child, 'exit'), [0, null]);
});

test('without its package it says what to do', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'fincert-'));
  const away = (path) => !path.includes('node_modules');
  for (const part of ['mocks/web', 'harness/agent']) {
    await cp(join(repository, part), join(folder, part), { recursive: true, filter: away });
  }
  const child = spawn(process.execPath, [join(folder, 'harness/agent/node/node.mjs')], { stdio: 'pipe' });
  let text = '';
  child.stderr.on('data', (chunk) => (text += chunk));
  const [code] = await once(child, 'close');
  await rm(folder, { recursive: true });
  assert.equal(code, 1);
  assert.match(text, /@roamhq\/wrtc cannot be loaded; run: npm ci --prefix /);
});
