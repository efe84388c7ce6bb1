// Node as a target: `ft` over @roamhq/wrtc (libwebrtc), the bridge on standard input and output.
//
//     npm ci --prefix harness/agent/node
//     fincert certify --target 'stdio:node harness/agent/node/node.mjs' --profile webrtc

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { createFt } from '../../../mocks/web/ft.js';
import { serveBridge } from '../bridge.js';
import { createDevices } from './devices.mjs';

// How many of these processes fincert may drive at once.
const PARALLEL = 4;

// Standard output is the bridge's alone.
console.log = console.error;

const require = createRequire(import.meta.url);

function loadWebrtc() {
  try {
    return require('@roamhq/wrtc');
  } catch (error) {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    console.error(`node.mjs: @roamhq/wrtc cannot be loaded; run: npm ci --prefix ${folder}\n${error.message}`);
    process.exit(1);
  }
}

const wrtc = loadWebrtc();
const { version } = JSON.parse(readFileSync(require.resolve('@roamhq/wrtc/package.json'), 'utf8'));
const { RTCPeerConnection, MediaStream } = wrtc;

const channel = { send: (text) => process.stdout.write(`${text}\n`) };
const agent = serveBridge({
  ft: createFt({ RTCPeerConnection, MediaStream, mediaDevices: createDevices(wrtc) }),
  about: {
    name: '@roamhq/wrtc (fincert Node shim)',
    version,
    platform: 'node',
    integration: 'integrated',
    callStyle: 'promise',
    capabilities: ['webrtc'],
    human: false,
    parallel: PARALLEL,
  },
  channel,
});

const lines = createInterface({ input: process.stdin, crlfDelay: Infinity });
lines.on('line', (line) => line.trim() && channel.onmessage(line));
// libwebrtc's threads would keep the process alive.
lines.on('close', () => agent.close().finally(() => process.exit(0)));
