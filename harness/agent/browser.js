// The browser as a target: `ft` over its own WebRTC, served over several WebSockets at once, one agent each.
//
// The page's query: `token` opens fincert's listener; `lanes` is how many WebSockets, 4 unless told; `managed` means
// that fincert started the browser, so that nobody looks at the page.

import { createFt } from '/ft.js';
import { serveBridge } from './bridge.js';

const DEFAULT_LANES = 4;
const MAX_LANES = 32;
// How soon a lane that was closed dials again: a little later after each failure.
const BACKOFF_MS = [50, 100, 200, 400, 800];
// After so long without an open connection fincert has ended.
const GONE_MS = 10_000;

const query = new URLSearchParams(location.search);
const managed = query.has('managed');

function laneCount() {
  const asked = Number(query.get('lanes') || DEFAULT_LANES);
  return Number.isInteger(asked) ? Math.min(Math.max(asked, 1), MAX_LANES) : DEFAULT_LANES;
}

function show(id, text) {
  document.getElementById(id).textContent = text;
}

async function main() {
  if (!window.RTCPeerConnection) {
    show('state', 'This browser has no WebRTC, so there is nothing to certify.');
    return;
  }
  const { name, version } = await browser();
  show('target', `${name} ${version}`);
  await askForMedia();
  const { RTCPeerConnection, MediaStream } = window;
  const ft = createFt({ RTCPeerConnection, MediaStream, mediaDevices: navigator.mediaDevices });
  const about = {
    name: `${name} (fincert browser shim)`,
    version,
    platform: 'web',
    integration: 'integrated',
    callStyle: 'promise',
    capabilities: ['webrtc'],
    human: !managed,
    parallel: laneCount(),
  };
  openLanes(ft, about);
}

// The browser's own name and full version. Where user agent client hints are missing, what its user agent says.
async function browser() {
  const hints = navigator.userAgentData;
  if (hints) {
    const { fullVersionList = [] } = await hints.getHighEntropyValues(['fullVersionList']);
    // One brand is made up on purpose ("Not:A Brand"); beside Chromium most name their own.
    const real = fullVersionList.filter(({ brand }) => !/not.*brand/i.test(brand));
    const found = real.find(({ brand }) => brand !== 'Chromium') || real[0];
    if (found) return { name: found.brand, version: found.version };
  }
  const [, name, version] = / (Firefox|Edg|OPR|Chrome|Version)\/([\d.]+)/.exec(navigator.userAgent) || [];
  return { name: name === 'Version' ? 'Safari' : name || 'Browser', version: version || '0' };
}

// A person is asked once, before the first connection: a prompt in the middle of a scenario would outlast its
// deadline.
async function askForMedia() {
  if (!navigator.mediaDevices) {
    show('media', 'none: the page is not a secure context (https, or http on localhost)');
    return;
  }
  if (managed) {
    show('media', 'generated');
    return;
  }
  show('state', 'Allow this page to use camera and microphone; fincert waits.');
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true, video: true });
    stream.getTracks().forEach((track) => track.stop());
    show('media', 'allowed');
  } catch (error) {
    show('media', `${error.name}: ${error.message}`);
  }
}

function openLanes(ft, about) {
  const open = new Set();
  let lastOpen = performance.now();
  let calls = 0;
  const watch = {
    call(method) {
      calls += 1;
      show('calls', String(calls));
      show('call', method);
    },
    error: (text) => show('error', text),
  };
  const showState = () => {
    show('lanes', `${open.size} of ${about.parallel}`);
    show('state', open.size ? 'Connected to fincert.' : 'Connecting to fincert …');
  };
  const change = (socket, isOpen) => {
    if (isOpen) open.add(socket);
    else if (open.delete(socket)) lastOpen = performance.now();
    showState();
  };
  const gone = () => open.size === 0 && performance.now() - lastOpen > GONE_MS;

  const dial = (failures) => {
    const socket = new WebSocket(bridgeUrl());
    let agent;
    socket.onopen = () => {
      change(socket, true);
      const channel = { send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text) };
      agent = serveBridge({ ft, about, channel, watch });
      socket.onmessage = ({ data }) => channel.onmessage(data);
    };
    socket.onclose = () => {
      change(socket, false);
      if (agent) agent.close();
      const failed = agent ? 0 : failures + 1;
      if (gone()) end();
      else setTimeout(dial, BACKOFF_MS[Math.min(failed, BACKOFF_MS.length - 1)], failed);
    };
  };
  showState();
  for (let lane = 0; lane < about.parallel; lane += 1) dial(0);
}

function bridgeUrl() {
  const url = new URL('/bridge', location.href);
  url.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('token', query.get('token') || '');
  return url.href;
}

function end() {
  show('state', 'fincert has ended. This page can be closed; to be driven again it needs a new address.');
  // fincert was killed and could not end the browser that it had started: its last page closed, the browser ends.
  if (managed) window.close();
}

main().catch((error) => show('state', `The page failed: ${error.name}: ${error.message}`));
