// A camera and a microphone for a machine that has none: a moving pattern and a tone, made in real time, until their
// track is stopped. @roamhq/wrtc has no devices of its own; its nonstandard sources take frames and samples.

import { performance } from 'node:perf_hooks';

const WIDTH = 320;
const HEIGHT = 240;
const FRAMES_PER_SECOND = 20;

const SAMPLE_RATE = 48_000;
const TONE_HZ = 440;
// The only size that the audio source takes: 10 ms.
const SAMPLES = SAMPLE_RATE / 100;

const DEVICES = [
  { deviceId: 'tone', kind: 'audioinput', label: 'Tone of 440 Hz', groupId: 'generated' },
  { deviceId: 'pattern', kind: 'videoinput', label: 'Moving pattern', groupId: 'generated' },
];

// `mediaDevices`, as a browser has it.
export function createDevices({ MediaStream, mediaDevices, nonstandard: { RTCAudioSource, RTCVideoSource } }) {
  return {
    enumerateDevices: async () => DEVICES,
    // The package's own word.
    getSupportedConstraints: () => mediaDevices.getSupportedConstraints(),
    getUserMedia: async (constraints) => {
      const { audio, video } = constraints || {};
      // Media Capture and Streams, getUserMedia: with neither kind asked for, a TypeError.
      if (!audio && !video) throw new TypeError('getUserMedia: neither audio nor video is asked for');
      const tracks = [];
      if (audio) tracks.push(startTone(new RTCAudioSource()));
      if (video) tracks.push(startPattern(new RTCVideoSource()));
      return new MediaStream(tracks);
    },
  };
}

function startTone(source) {
  const samples = new Int16Array(SAMPLES);
  return start(source, 10, (number) => {
    for (let at = 0; at < SAMPLES; at += 1) {
      const seconds = (number * SAMPLES + at) / SAMPLE_RATE;
      samples[at] = 8_000 * Math.sin(2 * Math.PI * TONE_HZ * seconds);
    }
    source.onData({
      samples,
      sampleRate: SAMPLE_RATE,
      bitsPerSample: 16,
      channelCount: 1,
      numberOfFrames: SAMPLES,
    });
  });
}

// Diagonal stripes that wander, and a tint that changes: every frame differs everywhere.
function startPattern(source) {
  const luma = WIDTH * HEIGHT;
  const data = new Uint8ClampedArray(luma * 1.5);
  const ramp = Uint8ClampedArray.from({ length: WIDTH + 256 }, (_, at) => at % 256);
  return start(source, 1000 / FRAMES_PER_SECOND, (number) => {
    for (let row = 0; row < HEIGHT; row += 1) {
      const shift = (row + 4 * number) % 256;
      data.set(ramp.subarray(shift, shift + WIDTH), row * WIDTH);
    }
    data.fill(128 + 64 * Math.sin(number / 10), luma, luma * 1.25);
    data.fill(128 + 64 * Math.cos(number / 10), luma * 1.25);
    source.onFrame({ width: WIDTH, height: HEIGHT, data });
  });
}

// Calls `next` with 0, 1, 2 … at the given pace, for as long as the track lives. Timers come late and never early, so
// what is due is reckoned from the clock; after a long pause only the last second is made up for.
function start(source, interval, next) {
  const track = source.createTrack();
  let began = performance.now();
  let number = 0;
  const timer = setInterval(() => {
    if (track.readyState === 'ended') {
      clearInterval(timer);
      return;
    }
    const due = (performance.now() - began) / interval;
    const behind = due - number - 1000 / interval;
    if (behind > 0) began += behind * interval;
    for (; number < due - Math.max(behind, 0); number += 1) next(number);
  }, interval);
  return track;
}
